import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import {
  createRecord,
  equalValues,
  formatInZone,
  formatRfc3339,
  fromJson,
  newMap,
  PathError,
  parsePath,
  parseRfc3339,
  pickFields,
  severityName,
  severityNumber,
  toJson,
  toText,
} from './index.js'

const record = createRecord({
  id: 'r1',
  timestamp: 5n,
  severityNumber: 17,
  body: newMap([['user', newMap([['name', 'eve']])]]),
  attributes: newMap([
    ['host.name', 'host-1'],
    ['alert', newMap([['skip_webhook', false]])],
    ['list', ['a', 'b']],
    ['a', newMap([['b.c', 1n]])],
  ]),
})

describe('paths', () => {
  test.each([
    ['body["user"]["name"]', 'eve'],
    ['body.user.name', 'eve'],
    ['attributes["host.name"]', 'host-1'],
    ['attributes.host.name', 'host-1'],
    ["attributes['alert']['skip_webhook']", false],
    ['attributes["list"][1]', 'b'],
    ['attributes.a.b.c', 1n],
    ['attributes["missing"]["deeper"]', undefined],
    ['severity_number', 17n],
    ['log.severity_number', 17n],
    ['time_unix_nano', 5n],
    ['resource.attributes["x"]', undefined],
    ['scope.name', ''],
  ])('%s', (path, value) => {
    expect(record.get(path)).toEqual(value)
  })

  test.each([
    '',
    'nothing',
    'attributes[',
    'attributes["a"',
    '["a"]x',
    'body..a',
    'resource',
    'resource.host',
  ])('"%s" is refused', path => {
    expect(() => record.get(path)).toThrow(PathError)
  })

  test('setting copies and leaves the record as it is', () => {
    const changed = record.with('attributes["alert"]["status"]', 'alert')
    expect(changed.get('attributes["alert"]["status"]')).toBe('alert')
    expect(changed.get('attributes["alert"]["skip_webhook"]')).toBe(false)
    expect(record.get('attributes["alert"]["status"]')).toBeUndefined()
    expect(changed.id).toBe(record.id)
  })

  test('a key such as __proto__ is only a key', () => {
    const changed = record.with('attributes["__proto__"]["polluted"]', true)
    expect(changed.get('attributes["__proto__"]["polluted"]')).toBe(true)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test.each([
    ['severity_number', 'high'],
    ['severity_text', 1n],
    ['attributes', 'text'],
    ['attributes["host.name"]["x"]', 1n],
    ['trace_id', 'xyz'],
  ])('%s cannot be set to %s', (path, value) => {
    expect(() => record.with(path, value)).toThrow(PathError)
  })

  test('any text is either a path or a PathError', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        try {
          expect(parsePath(text).length).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(PathError)
        }
      }),
      runs(),
    )
  })
})

describe('values', () => {
  const json = fc.jsonValue({ noUnicodeString: false } as never)

  test('plain JSON survives the way in and out', () => {
    fc.assert(
      fc.property(json, value => {
        expect(JSON.parse(JSON.stringify(toJson(fromJson(value))))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      runs(),
    )
  })

  test('equal values are equal to themselves after a copy', () => {
    fc.assert(
      fc.property(json, value => equalValues(fromJson(value), fromJson(structuredClone(value)))),
      runs(),
    )
  })

  test('integers beyond 2^53 keep their digits', () => {
    expect(toJson(2n ** 63n - 1n)).toBe('9223372036854775807')
    expect(toText(newMap([['n', 7n]]))).toBe('{"n":7}')
  })

  test('bytes are compared by content', () => {
    expect(equalValues(Uint8Array.from([1, 2]), Uint8Array.from([1, 2]))).toBe(true)
    expect(equalValues(Uint8Array.from([1, 2]), [1, 2])).toBe(false)
  })
})

describe('time', () => {
  test.each([
    ['2026-11-21T19:03:10.234693322Z', 1795287790234693322n],
    ['2026-11-21T19:03:10Z', 1795287790000000000n],
    ['2026-11-21t20:03:10.5+01:00', 1795287790500000000n],
    ['1969-12-31T23:59:59.999999999Z', -1n],
  ])('%s', (text, ns) => {
    expect(parseRfc3339(text)).toBe(ns)
  })

  test.each([
    '',
    'now',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T25:00:00Z',
    '2026-01-01',
    '0001-01-01T00:00:00Z',
  ])('"%s" is no time', text => {
    expect(parseRfc3339(text)).toBeUndefined()
  })

  test('what is formatted parses to the same ns', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 18n), max: 4n * 10n ** 18n }), ns => {
        expect(parseRfc3339(formatRfc3339(ns))).toBe(ns)
        const ms = ns / 1_000_000n
        const text = new Date(Number(ms)).toISOString().replace('.000Z', 'Z')
        expect(formatRfc3339(ms * 1_000_000n)).toBe(text)
      }),
      runs(),
    )
  })

  test('a time for people, in a zone', () => {
    const noon = parseRfc3339('2026-01-15T10:00:00Z') as bigint
    expect(formatInZone(noon, 'Europe/Paris')).toBe('15/01/2026 11:00:00 CET')
    expect(formatInZone(noon, 'UTC')).toBe('15/01/2026 10:00:00 UTC')
  })
})

test.each([
  ['critical', 18, 'ERROR2'],
  ['WARNING', 13, 'WARN'],
  ['Info', 9, 'INFO'],
  ['error3', 19, 'ERROR3'],
  ['nonsense', 0, ''],
])('severity %s', (word, number, name) => {
  expect(severityNumber(word)).toBe(number)
  expect(severityName(number)).toBe(name)
})

test('a record without a timestamp has the time it was observed', () => {
  expect(createRecord({ id: 'x', observedTimestamp: 9n }).time).toBe(9n)
  expect(createRecord({ id: 'x', timestamp: 4n, observedTimestamp: 9n }).time).toBe(4n)
})

test('a body given as bytes is text, and stays the same bytes', () => {
  const bytes = Buffer.from('äb')
  const lazy = createRecord({ id: 'x', bodyText: bytes })
  expect(lazy.bodyBytes()).toBe(bytes)
  expect(lazy.body).toBe('äb')
  expect(Buffer.from(lazy.patch({ body: 'new' }).bodyBytes()).toString()).toBe('new')
})

test('a patched record is the record with the changes in place', () => {
  const fields = fc.record(
    {
      timestamp: fc.bigInt({ min: 0n, max: 9n }),
      observedTimestamp: fc.bigInt({ min: 0n, max: 9n }),
      severityNumber: fc.nat(24),
      severityText: fc.string(),
      body: fc.option(fc.string()),
      flags: fc.nat(),
      traceId: fc.string(),
      eventName: fc.string(),
      arrived: fc.bigInt({ min: 0n, max: 9n }),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fields, fields, (init, { arrived: _, ...changes }) => {
      const record = createRecord({ id: 'r', ...init })
      const patched = record.patch(changes)
      const simple = createRecord({ ...init, ...pickFields(record), ...changes, id: 'r' })
      expect(pickFields(patched)).toEqual(pickFields(simple))
      expect([patched.id, patched.time]).toEqual([simple.id, simple.time])
    }),
    runs(),
  )
})
