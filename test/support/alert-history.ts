import {
  type Clock,
  createRecord,
  defineExporter,
  defineReceiver,
  type Intake,
  type LogRecord,
  newMap,
  type Sent,
} from 'tocsin/component'
import type { VirtualClock } from 'tocsin/testing'
import { onTestFinished } from 'vitest'
import type { AlertHistory } from '../../core/toolkit/history/index.js'
import { type Collector, startCollector } from './collector.js'

/** A collector with a history, a receiver `lines` that a test feeds, and an exporter `pager` that it answers for. */
export interface HistoryCollector {
  readonly collector: Collector
  readonly history: AlertHistory
  /** What the pager was sent, newest last. */
  readonly paged: LogRecord[]
  answer: (record: LogRecord, signal: AbortSignal) => Sent | Promise<Sent>
  /** Resolves when they have settled. `host`: their `host.name`. */
  feed(lines: readonly string[], host?: string): Promise<void>
  stop(): Promise<void>
}

const ABOUT = { api: 1, stability: 'stable', description: 'For a test.' } as const
const NOTHING = { type: 'object', additionalProperties: false } as const

/** `extensions`: YAML of the extensions, one of them alert_history. */
export async function startHistory(
  extensions: string,
  {
    clock,
    folder,
    tail = '',
    names = ['alert_history'],
    state,
  }: {
    readonly clock: Clock
    readonly folder?: string
    readonly tail?: string
    readonly names?: readonly string[]
    /** The storage of the state of alerts. */
    readonly state?: string
  },
): Promise<HistoryCollector> {
  const found: { history?: AlertHistory; intake?: Intake } = {}
  const paged: LogRecord[] = []
  let count = 0
  const run = Math.random().toString(36).slice(2)
  const result: HistoryCollector = {
    collector: undefined as never,
    history: undefined as never,
    paged,
    answer: () => 'ok',
    async feed(lines, host = 'db-1') {
      const records = lines.map(body =>
        createRecord({
          id: `${run}/${count++}`,
          timestamp: clock.now(),
          body,
          resource: {
            attributes: newMap([['host.name', host]]),
            schemaUrl: '',
            droppedAttributesCount: 0,
          } as never,
        }),
      )
      const settled = await found.intake?.offer(records)
      if (settled && 'release' in settled) settled.release()
    },
    stop: async () => void (await collector.stop()),
  }
  const components = [
    defineReceiver({
      ...ABOUT,
      type: 'lines',
      schema: NOTHING,
      create: ({ extension }) => ({
        async start(intake) {
          found.intake = intake
          found.history = extension<AlertHistory>('alert_history')
        },
        async stop() {},
        watermark: () => clock.now(),
      }),
    }),
    defineExporter({
      ...ABOUT,
      type: 'pager',
      notifying: true,
      schema: NOTHING,
      create: () => ({
        async send({ records }, signal) {
          const [record] = records as [LogRecord]
          const answer = await result.answer(record, signal)
          if (answer === 'ok') paged.push(record)
          return answer
        },
      }),
    }),
  ]
  const yaml = `
receivers: { lines: }
processors:
  stateful_alert:
    hash_keys: [host.name]${state === undefined ? '' : `\n    storage: ${state}`}
    patterns:
      - { alert_pattern: 'down (\\w+)', recovery_pattern: up, normalized_message: Database down, severity: critical, alert_schema: immediate, rule_id: db, runbook: 'https://wiki/db' }
      - { alert_pattern: full, recovery_pattern: free, normalized_message: Disk full, severity: warning, alert_schema: 'threshold,3,60,1,60' }
      - { alert_pattern: slow, normalized_message: Slow, severity: info, alert_schema: 'immediate,30' }
exporters:
  pager:
    condition: attributes["alert"]["skip_webhook"] == false
    retry_on_failure: { initial_interval: 1s, max_elapsed_time: 20s }
extensions:
${extensions}
service:
  extensions: [${names.join(', ')}]
  pipelines:
    logs/main: { receivers: [lines], processors: [stateful_alert], exporters: [pager] }
${tail}`
  const collector = await startCollector(yaml, { clock, components, ...(folder !== undefined && { folder }) })
  Object.assign(result, { collector, history: found.history })
  return result
}

/** Waits for what needs the clock to go on. */
export async function moving<T>(clock: VirtualClock, task: Promise<T>): Promise<T> {
  let done = false
  const finished = task.finally(() => {
    done = true
  })
  finished.catch(() => {})
  while (!done) {
    await clock.advance(1)
    if (!done) await new Promise(resolve => setTimeout(resolve, 1))
  }
  return finished
}

/** One on a clock that its calls move, which ends with the test. `config`: of alert_history, in flow style. */
export async function historyOfTest(clock: VirtualClock, config = ''): Promise<HistoryCollector> {
  const made = await moving(clock, startHistory(`  alert_history: ${config}`, { clock }))
  onTestFinished(() => moving(clock, made.stop()))
  const { feed } = made
  return Object.assign(made, {
    feed: (lines: readonly string[], host?: string) => moving(clock, feed(lines, host)),
  })
}
