import { readFileSync } from 'node:fs'
import type { Meter } from '@opentelemetry/api'
import { load } from 'js-yaml'
import { createRecord, fromJson, type LogRecord, type Mapper } from 'tocsin/component'
import { processorConformance, type TestContext, testContext, VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { check, type FilterConfig } from './config.js'
import { filterProcessor } from './index.js'

const record = (id: string, severityNumber: number, attributes: object = {}): LogRecord =>
  createRecord({
    id,
    severityNumber,
    body: `record ${id}`,
    attributes: fromJson(attributes) as never,
    resource: {
      attributes: fromJson({ 'service.name': 'shop' }) as never,
      droppedAttributesCount: 0,
      schemaUrl: '',
    },
  })

/** A meter that adds up its counters. */
function countingMeter(): { meter: Meter; counts: Map<string, number> } {
  const counts = new Map<string, number>()
  const createCounter = (name: string) => ({
    add: (value: number) => counts.set(name, (counts.get(name) ?? 0) + value),
  })
  return { meter: { createCounter } as unknown as Meter, counts }
}

function start(config: Partial<FilterConfig>) {
  const full: FilterConfig = { error_mode: 'propagate', log_conditions: [], ...config }
  const clock = new VirtualClock()
  const { meter, counts } = countingMeter()
  const context: TestContext<FilterConfig> = testContext({
    config: full,
    clock,
    meter,
    id: 'filter/x',
    pipeline: 'logs',
  })
  const mapper = filterProcessor.create(context) as Mapper
  const keep = (...records: LogRecord[]): string[] => (mapper.process(records) as LogRecord[]).map(r => r.id)
  return { mapper, keep, counts, clock, logs: context.logs }
}

describe('filter', () => {
  it('drops what any condition matches, keeps the order and counts', () => {
    const { keep, counts } = start({
      log_conditions: ['severity_number < SEVERITY_NUMBER_WARN', 'attributes["path"] == "/healthz"'],
    })
    expect(
      keep(record('a', 17), record('b', 9), record('c', 17, { path: '/healthz' }), record('d', 13)),
    ).toEqual(['a', 'd'])
    expect(counts.get('otelcol_processor_filter_logs_filtered')).toBe(2)
  })

  it('hands on the very batch when nothing is dropped', () => {
    const { mapper, counts } = start({ log_conditions: ['severity_number == 1'] })
    const records = [record('a', 17)]
    expect(mapper.process(records)).toBe(records)
    expect(counts.size).toBe(0)
  })

  it('takes the older form and groups too', () => {
    const older = start({ logs: { log_record: ['IsMatch(body, "record a")'] } })
    expect(older.keep(record('a', 1), record('b', 1))).toEqual(['b'])
    const groups = start({
      log_conditions: [{ context: 'resource', conditions: ['attributes["service.name"] == "shop"'] }],
    })
    expect(groups.keep(record('a', 1))).toEqual([])
  })

  const failing = 'attributes["n"]["x"] == 1'

  it('propagate fails the batch', () => {
    const { keep } = start({ log_conditions: [failing] })
    expect(() => keep(record('a', 1, { n: 1 }))).toThrow('attributes["n"]["x"]: an integer has no keys')
  })

  it('ignore goes on with the next condition, counts, and logs once a minute', async () => {
    const { keep, counts, logs, clock } = start({
      error_mode: 'ignore',
      log_conditions: [failing, 'severity_number == 2'],
    })
    const broken = [1, 2, 3].map(n => record(String(n), n, { n }))
    expect(keep(...broken)).toEqual(['1', '3'])
    expect(keep(...broken)).toEqual(['1', '3'])
    expect(counts.get('tocsin_filter_errors')).toBe(6)
    expect(logs).toHaveLength(1)
    expect(logs[0]).toMatchObject({ level: 'warn', attributes: { expression: failing } })
    await clock.advance(60_000)
    keep(...broken)
    expect(logs.map(entry => entry.attributes.times)).toEqual([undefined, 5])
  })

  it('silent only counts; a group may have its own mode', () => {
    const { keep, counts, logs } = start({
      error_mode: 'propagate',
      log_conditions: [{ error_mode: 'silent', conditions: [failing] }],
    })
    expect(keep(record('a', 1, { n: 1 }))).toEqual(['a'])
    expect([counts.get('tocsin_filter_errors'), logs.length]).toEqual([1, 0])
  })

  it('can ask the clock', () => {
    const { keep } = start({ log_conditions: ['Now() - time > Duration("1h")'] })
    const { clock } = start({})
    const fresh = record('fresh', 9).patch({ timestamp: clock.now() - 60_000_000_000n })
    expect(keep(fresh, record('old', 9))).toEqual(['fresh'])
  })
})

describe('the configuration of a filter', () => {
  it('needs conditions, and shows what is wrong with one', () => {
    expect(check({ error_mode: 'ignore', log_conditions: [] })).toMatchObject([{ path: ['log_conditions'] }])
    expect(check({ error_mode: 'ignore', log_conditions: [], logs: { log_record: ['true'] } })).toEqual([])
    expect(
      check({
        error_mode: 'ignore',
        log_conditions: [
          'severity_number = 9',
          { conditions: ['true', 'bdy == "x"'] },
          { context: 'resource', conditions: ['attributes["a"] == 1', 'body == "x"'] },
        ],
      }),
    ).toMatchObject([
      { path: ['log_conditions', 0], fix: 'to compare, write ==' },
      { path: ['log_conditions', 1, 'conditions', 1], fix: 'did you mean body?' },
      {
        path: ['log_conditions', 2, 'conditions', 1],
        message: expect.stringContaining('belongs to a record'),
      },
    ])
  })
})

it('the example of the README is valid', () => {
  const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
  const yaml = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const example = load(yaml) as { processors: { [id: string]: FilterConfig } }
  const config = example.processors['filter/noise'] as FilterConfig
  expect(check(config)).toEqual([])
})

describe('conformance', () => {
  const config = { error_mode: 'ignore', log_conditions: ['severity_number < 9', 'IsMatch(body, "debug")'] }
  for (const check of processorConformance({ factory: filterProcessor, config })) it(check.name, check.run)
})
