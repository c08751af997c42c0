import { Subject } from 'rxjs'
import {
  createRecord,
  type Keyed,
  type LogRecord,
  newMap,
  type ProcessorFactory,
  parseRfc3339,
} from 'tocsin/component'
import {
  collectingLogger,
  type LogEntry,
  seededRandom,
  settleMicrotasks,
  testContext,
  VirtualClock,
} from 'tocsin/testing'
import { describe, expect, test } from 'vitest'
import { createBatch, type PipelineBatch, timeBatch, UNKNOWN_TIME } from '../../core/pipeline/batch.js'
import { liftKeyed } from '../../core/pipeline/lift-keyed.js'
import { AheadSources } from '../../core/state/ahead-sources.js'
import { memoryState } from '../../core/state/memory-state.js'
import { keyedObserver } from '../../core/state/observe.js'
import { KeyedRuntime } from '../../core/state/runtime.js'
import { statefulAlertProcessor } from '../../processors/stateful_alert/index.js'
import { throttleProcessor } from '../../processors/throttle/index.js'

// W15, W17 of the issue, and their kind: one record of a clock that is ahead outranks nothing real.

const START = '2026-11-20T10:00:00Z'
const NOW = parseRfc3339(START) as bigint
const AHEAD = [6n, 60n, 3_600n, 86_400n, 290_000_000n]

/** A processor in a pipeline whose source is live; `watermark` false while it catches up. */
function pipeline(processor: Keyed<unknown, unknown, unknown>, { live = true } = {}) {
  const clock = new VirtualClock(START)
  const logs: LogEntry[] = []
  const { meter } = testContext({ config: {} })
  const runtime = new KeyedRuntime(processor, memoryState({ maxKeys: 1_000 }), {
    clock,
    random: seededRandom(1),
    journal: false,
    shared: false,
    observer: keyedObserver({
      meter,
      attributes: {},
      logger: collectingLogger(logs),
      aheadSources: new AheadSources(),
      reportStatus: () => undefined,
    }),
  })
  const head = new Subject<PipelineBatch>()
  const seen: string[] = []
  head.pipe(liftKeyed(runtime, async () => undefined)).subscribe(batch => {
    for (const record of batch.records) {
      const alert = record.attributes.alert as { status: string; recovery_reason?: string } | undefined
      seen.push(
        alert
          ? `${alert.status}${alert.recovery_reason === 'auto_expire' ? ' by time' : ''}`
          : `${record.body}`,
      )
    }
  })
  let id = 0
  return {
    seen,
    logs,
    /** `dates`: s after the start that the records of one batch say, by body. */
    async at(arrival: number, ...dates: readonly (readonly [bigint | number, string])[]) {
      await clock.advance(arrival * 1_000 - Number((clock.now() - NOW) / 1_000_000n))
      const records: LogRecord[] = dates.map(([s, body]) =>
        createRecord({
          id: `${id++}`,
          timestamp: NOW + BigInt(Math.round(Number(s) * 1_000)) * 1_000_000n,
          observedTimestamp: clock.now(),
          body,
          attributes: newMap([['log.file.name', body.includes('bad') ? 'bad.log' : 'app.log']]),
        }),
      )
      if (records.length > 0) head.next(createBatch(records) as PipelineBatch)
      head.next(timeBatch(live ? clock.now() : UNKNOWN_TIME))
      await settleMicrotasks()
      for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    },
  }
}

function create<C extends object>(factory: unknown, config: C): Keyed<unknown, unknown, unknown> {
  const { create } = factory as ProcessorFactory<C>
  return create(testContext({ config, pipeline: 'logs' })) as Keyed<unknown, unknown, unknown>
}

function throttle(window = '2s', mode = 'sliding') {
  return create(throttleProcessor, { count: 1, window, mode, max_keys: 100, time_source: 'event' })
}

function alerting(schema: string) {
  return create(statefulAlertProcessor, {
    patterns: [
      {
        alert_pattern: 'ERROR',
        recovery_pattern: 'OK',
        normalized_message: 'App',
        severity: 'critical',
        alert_schema: schema,
      },
    ],
    match_mode: 'regex',
    ignore_case: false,
    alert_match: 'all',
    hash_keys: [],
    time_source: 'event',
    max_keys: 100,
    state_ttl: '24h',
    scan_interval: '1m',
  })
}

describe.each(AHEAD)('a record %i s ahead', ahead => {
  test.each(['sliding', 'fixed'])('silences no throttle (%s)', async mode => {
    const { at, seen } = pipeline(throttle('2s', mode))
    await at(0, [0, 'e1'])
    await at(1, [1n + ahead, 'bad'])
    for (let s = 6; s <= 30; s += 6) await at(s, [s, `e${s}`])
    expect(seen).toEqual(['e1', 'e6', 'e12', 'e18', 'e24', 'e30'])
  })

  test('holds up no expiry', async () => {
    const { at, seen } = pipeline(alerting('immediate,3'))
    await at(0, [ahead, 'ERROR bad'])
    await at(4)
    await at(7, [7, 'ERROR'])
    await at(11)
    expect(seen).toEqual(['alert', 'recovery by time', 'alert', 'recovery by time'])
  })

  test('blinds no window of a threshold', async () => {
    const { at, seen } = pipeline(alerting('threshold,3,10,1,60'))
    await at(0, [0, 'INFO'])
    await at(1, [1n + ahead, 'ERROR bad'])
    // Real records come a while after they were written.
    for (let s = 20; s < 23; s++) await at(s, [s - 2, 'ERROR'])
    expect(seen).toEqual(['INFO', 'alert_accumulating', 'alert_accumulating', 'alert_accumulating', 'alert'])
  })

  test('as a recovery makes no storm of alert and recovery', async () => {
    const { at, seen } = pipeline(alerting('immediate'))
    await at(0, [-2, 'ERROR'])
    await at(1, [1n + ahead, 'OK bad'])
    for (let s = 2; s < 6; s++) await at(s, [s - 2, 'ERROR'])
    expect(seen).toEqual(['alert', 'recovery', 'alert', ...Array(3).fill('alert_duplicate')])
  })

  test('runs no timers of a source that is still in the past', async () => {
    const { at, seen } = pipeline(alerting('immediate,3600'), { live: false })
    const year = -31_536_000
    await at(0, [year, 'ERROR'], [ahead, 'INFO bad'], [year + 60, 'ERROR'])
    await at(1, [year + 120, 'OK'])
    expect(seen).toEqual(['alert', 'INFO bad', 'alert_duplicate', 'recovery'])
  })

  test('in front of a file of last year is of last year', async () => {
    const { at, seen } = pipeline(throttle(), { live: false })
    const year = -31_536_000
    await at(0, [ahead, 'bad'], [year, 'e0'], [year + 6, 'e6'], [ahead, 'bad'], [year + 12, 'e12'])
    expect(seen).toEqual(['bad', 'e6', 'e12'])
  })
})

test('which source is ahead is said once', async () => {
  const { at, logs } = pipeline(throttle())
  await at(0, [0, 'e1'], [3_600, 'bad'], [3_600, 'bad'])
  await at(1, [3_601, 'bad'], [3, 'nearly right'])
  expect(logs.map(({ level, attributes }) => [level, attributes])).toEqual([
    ['warn', { source: 'log.file.name=bad.log', ahead_s: 3_600 }],
  ])
})
