import { createRecord, type Keyed, type LogRecord, newMap, type ProcessorFactory } from 'tocsin/component'
import { awkwardRecords, processorConformance, sampleRecord, testContext } from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { check } from './check-config.js'
import type { StatefulAlertConfig } from './config.js'
import { hashKeys } from './hash-keys.js'
import { statefulAlertProcessor } from './index.js'
import type { Sighting } from './machine.js'
import type { Outcome } from './outcome.js'
import { severityLabel } from './recent-decisions.js'
import type { AlertState } from './state.js'

const ROW = {
  alert_pattern: 'connection refused',
  recovery_pattern: 'connection established',
  normalized_message: 'Database Connection Failed',
  severity: 'critical',
  alert_schema: 'immediate,3600',
}

function config(given: Partial<StatefulAlertConfig> = {}): StatefulAlertConfig {
  return {
    ...(!given.lookup_table && { patterns: [ROW] }),
    match_mode: 'regex',
    ignore_case: false,
    alert_match: 'all',
    hash_keys: [],
    time_source: 'event',
    max_keys: 100_000,
    state_ttl: '24h',
    scan_interval: '1m',
    ...given,
  }
}

function create(given: StatefulAlertConfig): Keyed<AlertState, Sighting, Outcome> {
  const factory = statefulAlertProcessor as unknown as ProcessorFactory<StatefulAlertConfig>
  return factory.create(testContext({ config: given, pipeline: 'logs' })) as Keyed<
    AlertState,
    Sighting,
    Outcome
  >
}

describe('conformance', () => {
  const records = ['refused', 'refused', 'established', 'established', 'reset', 'refused'].map((end, at) =>
    sampleRecord({
      id: `${at}`,
      timestamp: BigInt(at + 1) * 1_000_000_000n,
      body: `ERROR connection ${end}`,
    }),
  )
  for (const [name, given] of [
    ['immediate', config()],
    [
      'threshold',
      config({
        patterns: [{ ...ROW, alert_schema: 'threshold,2,60,2,60', rule_id: 'r1' }],
        hash_keys: ['host.name', 'attributes["http.status"]'],
      }),
    ],
    ['everything matches', config({ patterns: [{ ...ROW, alert_pattern: '.*' }] })],
  ] as const) {
    const subject = { factory: statefulAlertProcessor, config: given, records }
    for (const item of processorConformance(subject)) test(`${name} ${item.name}`, item.run)
  }
})

describe('mistakes in the configuration are told with their place', () => {
  const rows = (row: Partial<typeof ROW>) => ({ patterns: [ROW, { ...ROW, ...row }] })
  test.each<[string, Partial<StatefulAlertConfig>, (string | number)[], string]>([
    [
      'both sources',
      { lookup_table: { location: 'a', reload_period: '5m' }, patterns: [ROW] },
      ['patterns'],
      'both set',
    ],
    ['no good regex', rows({ alert_pattern: 'a(?=b)' }), ['patterns', 1, 'alert_pattern'], 'lookaround'],
    ['no good recovery', rows({ recovery_pattern: '(' }), ['patterns', 1, 'recovery_pattern'], 'closing )'],
    ['no pattern', rows({ alert_pattern: ' ' }), ['patterns', 1, 'alert_pattern'], 'empty'],
    [
      'no good schema',
      rows({ alert_schema: 'threshold,1' }),
      ['patterns', 1, 'alert_schema'],
      'takes 4 or 5',
    ],
    ['ignore_case with regex', { ignore_case: true }, ['patterns', 0, 'alert_pattern'], 'ignore_case'],
    [
      'ignore_case with a table of regexes',
      { ignore_case: true, lookup_table: { location: 'a', reload_period: '5m' } },
      ['ignore_case'],
      'regular expressions',
    ],
    ['a broken path', { hash_keys: ['host.name', 'attributes["x'] }, ['hash_keys', 1], 'path'],
    ['no ttl', { state_ttl: '0s' }, ['state_ttl'], 'zero'],
    [
      'a hasty reload',
      { lookup_table: { location: 'a', reload_period: '10ms' } },
      ['lookup_table', 'reload_period'],
      'less than 1s',
    ],
  ])('%s', (_, given, path, says) => {
    const problems = check(config(given))
    expect(problems.map(problem => problem.path)).toContainEqual(path)
    expect(problems.map(({ message }) => message).join()).toContain(says)
  })

  test('neither source', () => {
    const { patterns: _, ...rest } = config()
    expect(check(rest)).toMatchObject([{ path: [], message: 'it has neither lookup_table nor patterns' }])
  })

  test('none in a good one', () => {
    expect(check(config())).toEqual([])
    expect(check(config({ ignore_case: true, match_mode: 'contain' }))).toEqual([])
  })
})

describe('hash keys', () => {
  const record = (attributes: { [key: string]: string }, resource: { [key: string]: string } = {}) =>
    createRecord({
      id: 'x',
      attributes: newMap(Object.entries(attributes)),
      resource: {
        attributes: newMap(Object.entries(resource)),
        droppedAttributesCount: 0,
        schemaUrl: '',
      },
    })

  test('values are combined unambiguously; a missing one is its own value', () => {
    const known = new Map<string, string>()
    const keys = hashKeys(['a', 'b'])
    const hash = (of: LogRecord) => keys.hash(of, known)
    const hashes = [
      hash(record({ a: 'a,b', b: 'c' })),
      hash(record({ a: 'a', b: 'b,c' })),
      hash(record({ a: '', b: 'c' })),
      hash(record({ b: 'c' })),
      hash(record({ a: 'c' })),
      hash(record({})),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
    expect(hash(record({ b: 'c' }, { a: 'a' }))).toBe(hash(record({ a: 'ignored', b: 'c' }, { a: 'a' })))
  })

  test('awkward records have keys, and origins that can be read again', () => {
    const keys = hashKeys(['a.b', '__proto__', 'body', 'attributes["a"]["b"]', 'resource.attributes["x"]'])
    for (const awkward of awkwardRecords()) {
      expect(keys.hash(awkward, new Map())).toMatch(/^[0-9a-f]{24}$/)
      expect(JSON.parse(keys.origin(awkward))).toHaveProperty('resourceLogs')
    }
  })
})

test('one pass over a batch, whatever it holds', async () => {
  const keyed = create(config({ patterns: [ROW, { ...ROW, alert_pattern: 'ERROR', recovery_pattern: '' }] }))
  const bodies = ['ERROR connection refused', 'fine', 'connection established']
  const touches = await keyed.select(bodies.map((body, at) => sampleRecord({ id: `${at}`, body })))
  expect(touches.map(of => of.map(({ data }) => data.kind))).toEqual([['alert', 'alert'], [], ['recovery']])
})

test('the label of a severity is a known word', () => {
  expect([' CRITICAL ', 'Sev-1', '', 'warning'].map(severityLabel)).toEqual([
    'critical',
    'other',
    'other',
    'warning',
  ])
})
