import { createCollector } from '../collector.js'
import {
  defineExporter,
  defineReceiver,
  type Intake,
  type LogAttributes,
  type LogRecord,
  type Records,
} from '../component/index.js'
import type { FactorySource } from '../config/index.js'
import type { GraphReport } from '../pipeline/graph-host.js'
import { VirtualClock } from './clock.js'
import { collectingLogger, type LogEntry } from './context.js'
import { seededRandom } from './random.js'

/** What `runPipeline` is given besides the configuration. */
export interface RunPipelineOptions {
  /** The components that the configuration may name besides the receiver and exporter `test`; those of Tocsin are in `tocsin/components`. */
  readonly components?: readonly FactorySource[]
  /** What the receiver `test` offers, in batches of one record, one after another; by its id (`test/a`) where there are several. */
  readonly records?: Records | { readonly [id: string]: Records }
  /**
   * How far the clock moves after the records, ms, before the inputs end: for timers, which run when the time of the records has
   * come so far. Default 0 where the receiver is `test`; other receivers run so long, unless they end before: default a minute.
   */
  readonly advanceMs?: number
  readonly clock?: VirtualClock
  readonly env?: NodeJS.ProcessEnv
  /** Where relative paths of the configuration start; default: the working directory. */
  readonly cwd?: string
}

/** What came of a run. */
export interface PipelineRun {
  /** What the exporters `test` got, by id, in the order of arrival. */
  readonly exported: { readonly [id: string]: Records }
  /** How many records were delivered, became dead letters, and so on. */
  readonly report: GraphReport
  /** What the collector and its components logged. */
  readonly logs: readonly LogEntry[]
}

/**
 * Runs a whole configuration with the real graph, queues and retries, on a virtual clock: records in, what exporters got
 * out. In it `test` (`test/a`, ...) is a receiver, which offers `records`, and an exporter, which keeps what it gets.
 * Throws `ConfigError` where the configuration is invalid.
 */
export async function runPipeline(yaml: string, options: RunPipelineOptions = {}): Promise<PipelineRun> {
  const { records = [], clock = new VirtualClock(), components = [] } = options
  const exported: { [id: string]: LogRecord[] } = {}
  const intakes: Intake[] = []
  const logs: LogEntry[] = []
  const logger = collectingLogger(logs)
  const recordsOf = (id: string): Records => (isList(records) ? records : (records[id] ?? []))

  const receiver = defineReceiver({
    ...ABOUT,
    description: 'Offers the records of a test.',
    create: ({ id }) => ({
      async start(intake) {
        intakes.push(intake)
        offering.push(offerAll(recordsOf(id), intake))
      },
      async stop() {},
      watermark: () => clock.now(),
    }),
  })
  const exporter = defineExporter({
    ...ABOUT,
    description: 'Keeps what it is sent for a test.',
    ordered: true,
    create: ({ id }) => {
      const kept: LogRecord[] = []
      exported[id] = kept
      return {
        async send(request) {
          kept.push(...request.records)
          return 'ok'
        },
      }
    },
  })

  const offering: Promise<unknown>[] = []
  const collector = createCollector({
    config: `yaml:${yaml}`,
    components: [receiver, exporter, ...components],
    set: ['service.telemetry.metrics.level=none'],
    clock,
    random: seededRandom(1),
    logger: { ...logger, child: attributes => withAttributes(logs, attributes) },
    ...(options.env && { env: options.env }),
    ...(options.cwd && { cwd: options.cwd }),
  })
  await moving(clock, collector.start())
  let report: GraphReport | undefined
  try {
    await moving(clock, Promise.all(offering))
    if (intakes.length > 0) {
      await clock.advance(options.advanceMs ?? 0)
      for (const intake of intakes) intake.end()
    }
    const end = clock.monotonicMs() + (options.advanceMs ?? 60_000)
    await moving(clock, Promise.race([collector.ended, reaches(clock, end)]))
  } finally {
    report = await moving(clock, collector.stop())
  }
  return { exported, report, logs }
}

const ABOUT = {
  api: 1,
  type: 'test',
  stability: 'stable',
  schema: { type: 'object', additionalProperties: false },
} as const

/** Each once it can be taken; resolves when all have settled. */
async function offerAll(records: Records, intake: Intake): Promise<void> {
  const settling: Promise<unknown>[] = []
  for (const record of records) {
    for (;;) {
      await intake.ready()
      const answer = intake.offer([record])
      if ((await Promise.race([answer, undefined]))?.busy) continue
      settling.push(answer.then(settled => !settled.busy && settled.release()))
      break
    }
  }
  await Promise.all(settling)
}

/** Lets time pass until the task is done. Exporters may have real destinations, which need real time too. */
async function moving<T>(clock: VirtualClock, task: Promise<T>): Promise<T> {
  let done = false
  const finished = task.finally(() => {
    done = true
  })
  finished.catch(() => {})
  while (!done) {
    await clock.advance(20)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  return finished
}

async function reaches(clock: VirtualClock, ms: number): Promise<void> {
  while (clock.monotonicMs() < ms) await clock.sleep(ms - clock.monotonicMs())
}

function withAttributes(into: LogEntry[], attributes: LogAttributes): ReturnType<typeof collectingLogger> {
  const keep = (entry: LogEntry): unknown =>
    into.push({ ...entry, attributes: { ...attributes, ...entry.attributes } })
  return collectingLogger({ push: keep })
}

function isList(records: Records | { readonly [id: string]: Records }): records is Records {
  return Array.isArray(records)
}
