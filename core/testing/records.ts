import { createRecord, type LogRecord, newMap, type RecordInit } from '../component/index.js'

/** A log record for tests; override what the test is about. */
export function sampleRecord(init: Partial<RecordInit> = {}): LogRecord {
  return createRecord({
    id: 'sample-1',
    timestamp: 1_768_471_200_000_000_000n,
    observedTimestamp: 1_768_471_200_500_000_000n,
    severityNumber: 17,
    severityText: 'ERROR',
    body: 'ERROR orders-db connection refused (10.0.0.12:5432)',
    attributes: newMap([['http.status', 503n]]),
    ...init,
  })
}

/** Records that components meet sooner or later: every kind of body, odd keys, deep nesting, huge numbers. */
export function awkwardRecords(): readonly LogRecord[] {
  const deep = Array.from({ length: 90 }).reduce<ReturnType<typeof newMap>>(
    inner => newMap([['in', inner]]),
    newMap([['core', true]]),
  )
  const bodies = [
    null,
    '',
    'plain',
    'ünï©ødé \u0000 \n second line',
    true,
    0.5,
    Number.NaN,
    2n ** 63n - 1n,
    Uint8Array.from([0, 255, 128]),
    ['a', 1n, null],
    deep,
    'x'.repeat(100_000),
  ]
  const attributes = newMap([
    ['__proto__', 'a key'],
    ['constructor', 'a key'],
    ['', 'empty key'],
    ['a.b', 'dotted'],
    ['a', newMap([['b', 'nested']])],
    ['bytes', Uint8Array.from([1, 2])],
    ['alert', 'no map'],
    ['notification', 7n],
  ])
  return [
    ...bodies.map((body, index) => sampleRecord({ id: `awkward-${index}`, body, attributes })),
    createRecord({ id: 'awkward-bare' }),
    createRecord({ id: 'awkward-bytes', bodyText: Uint8Array.from([0xc3, 0x28, 0x41]) }),
  ]
}
