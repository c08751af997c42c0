import type {
  DeadLetterBox,
  GraphInUse,
  Host,
  MetricPoint,
  Records,
  ServiceStatus,
} from '../component/index.js'
import { ConfigError, errorText, formatProblem, onAbort, orAborted } from '../component/index.js'
import { type DeliveryReport, type Handover, sumOf } from '../delivery/index.js'
import type { GraphReport } from '../pipeline/graph-host.js'
import { metricPoints } from '../telemetry/metric-points.js'
import { graphInUse } from './graph-in-use.js'
import { Lasting, type LastingOptions } from './lasting.js'
import type { RunningGraph } from './running-graph.js'
import type { ServiceSettings } from './settings.js'
import type { Taps } from './tap/taps.js'
import { Turns } from './turns.js'

export interface ServiceOptions extends LastingOptions {
  /** Reads and validates the configuration; throws `ConfigError`. Called at start and for each reload. */
  readonly load: () => Promise<ServiceSettings>
  /** The configuration that is about to run: a new one, or the old one again. */
  readonly apply?: (settings: ServiceSettings) => void
}

/** One running collector: a graph of its configuration, on what outlives it. */
export class Service implements Host {
  readonly #lasting: Lasting
  readonly #ended: Promise<void>
  #end: () => void = () => {}
  #graph: RunningGraph | undefined
  #settings: ServiceSettings | undefined
  #handovers: ReadonlyMap<string, Handover> = new Map()
  /** What the graphs before a reload did. */
  #before: DeliveryReport = NOTHING
  readonly #stopping = new AbortController()
  /** Start, reload and stop come one after another. */
  readonly #turns = new Turns()

  constructor(private readonly options: ServiceOptions) {
    this.#lasting = new Lasting(options, this)
    this.#ended = new Promise(resolve => {
      this.#end = resolve
    })
  }

  /** Where somebody may look on. */
  get taps(): Taps {
    return this.#lasting.taps
  }

  /** Resolves when all inputs have ended. */
  get ended(): Promise<void> {
    return this.#ended
  }

  status(): ServiceStatus {
    return this.#lasting.status.status()
  }

  scrape(): Promise<string> {
    return this.options.metrics.scrape()
  }

  async metrics(): Promise<readonly MetricPoint[]> {
    return metricPoints(await this.options.metrics.collect())
  }

  graph(): GraphInUse {
    return this.#settings ? graphInUse(this.#settings) : { pipelines: {}, connectors: [], notifying: [] }
  }

  deadLetters(): DeadLetterBox | undefined {
    return this.#graph?.deadLetters
  }

  async enqueue(exporter: string, pipeline: string, records: Records): Promise<boolean> {
    return (await this.#graph?.enqueue(exporter, pipeline, records)) ?? false
  }

  tellRepeats(): void {
    this.#graph?.tellRepeats()
  }

  /** Where it listens and what it keeps, for the start-up message. */
  describe(): readonly string[] {
    return this.#lasting.describe()
  }

  /** Lets the timers of keyed components run that are due by now. */
  sendTime(): void {
    this.#graph?.sendTime()
  }

  /** Throws `ConfigError`, or what a component that cannot start throws; then nothing runs. */
  start(): Promise<void> {
    return this.#turns.take(async () => {
      const settings = await this.options.load()
      try {
        await this.#run(settings)
      } catch (error) {
        await this.#stopAll(settings.shutdownTimeoutMs)
        throw error
      }
    })
  }

  /**
   * Validates the configuration anew and swaps the graph if it is good. A bad one changes nothing; when the new graph
   * does not start, the old one is started again. False when the old configuration stays. A stop comes before it, and
   * one reload serves all that asked before it began.
   */
  reload(): Promise<boolean> {
    return this.#turns.share(async () => {
      const { logger, load } = this.options
      const old = this.#settings
      if (!old || this.#stopping.signal.aborted) return false
      let next: ServiceSettings | undefined
      try {
        next = await orAborted(load(), this.#stopping.signal)
        if (!next) return false
      } catch (error) {
        const problems = error instanceof ConfigError ? error.problems.map(formatProblem) : [errorText(error)]
        logger.error('The new configuration is invalid; the old one stays in force.', {
          problems: problems.join('\n'),
        })
        if (error instanceof ConfigError) this.#lasting.refused(error.problems)
        return false
      }
      await this.#handOver(old, next)
      try {
        if (!(await this.#runUnlessLeft(next))) return false
        logger.info('The new configuration is in force.')
        return true
      } catch (error) {
        logger.error('The new configuration did not start; going back to the old one.', {
          reason: errorText(error),
        })
        await this.#handOver({ ...next, shutdownTimeoutMs: 0 }, old)
        await this.#runUnlessLeft(old)
        return false
      }
    })
  }

  /**
   * Drains within the configured time and reports what became of the records. Until `leave` resolves, durable queues too
   * are tried for all of that time.
   */
  stop(leave?: Promise<unknown>): Promise<GraphReport> {
    this.#stopping.abort()
    const { clock } = this.options
    const beganMs = clock.monotonicMs()
    return this.#turns.take(() => {
      const timeoutMs = this.#settings?.shutdownTimeoutMs ?? 0
      // A reload that was under way has had some of it.
      const leftMs = Math.max(timeoutMs / 2, timeoutMs - (clock.monotonicMs() - beganMs))
      return this.#stopAll(leftMs, leave)
    })
  }

  /** False when it did not start in half of the time for a stop: a component that hangs does not keep the collector from stopping. */
  async #runUnlessLeft(settings: ServiceSettings): Promise<boolean> {
    const { clock, logger } = this.options
    const left = new AbortController()
    const cancel = onAbort(this.#stopping.signal, () => {
      clock.schedule(settings.shutdownTimeoutMs / 2, () => left.abort())
    })
    const running = this.#run(settings).then(() => true)
    const ran = await orAborted(running, left.signal).finally(cancel)
    if (ran) return true
    running.catch(() => undefined)
    logger.error('A component has not started in time: stopping without it.')
    return false
  }

  async #run(settings: ServiceSettings): Promise<void> {
    this.#settings = settings
    this.#lasting.status.phase = 'starting'
    this.options.apply?.(settings)
    await this.#lasting.switchTo(settings)
    const { graph, started } = await this.#lasting.build(settings, this.#handovers, this.#end)
    this.#graph = graph
    await graph.start()
    this.#lasting.status.phase = 'running'
    this.#handovers = new Map()
    await started()
  }

  /** Stops the graph of a reload; what the queues of exporters that stay hold is kept for them. */
  async #handOver(settings: ServiceSettings, next: ServiceSettings): Promise<void> {
    this.#lasting.status.phase = 'stopping'
    const graph = this.#graph
    this.#graph = undefined
    if (graph) {
      const keep = new Set(next.graph.exporters.keys())
      // What a graph that failed did not take over yet is still there for the next one.
      const { handovers, report } = await graph.handOver(settings.shutdownTimeoutMs, keep)
      this.#handovers = new Map([...this.#handovers, ...handovers])
      // What stays in the queue of an exporter that is gone is no longer ours to count.
      this.#before = sumOf([this.#before, { ...report, persisted: 0 }])
    }
    this.#lasting.status.clearPipelines()
  }

  async #stopGraph(timeoutMs: number, leave?: Promise<unknown>): Promise<GraphReport> {
    const graph = this.#graph
    this.#graph = undefined
    const report = graph ? await graph.stop(timeoutMs, leave) : NOTHING
    this.#lasting.status.clearPipelines()
    return { ...report, ...sumOf([this.#before, report]) }
  }

  async #stopAll(timeoutMs: number, leave?: Promise<unknown>): Promise<GraphReport> {
    this.#stopping.abort()
    this.#lasting.status.phase = 'stopping'
    const report = await this.#stopGraph(timeoutMs, leave)
    await this.#lasting.close()
    return report
  }
}

const NONE: DeliveryReport = { delivered: 0, persisted: 0, dropped: 0, deadLettered: 0 }
const NOTHING: GraphReport = { ...NONE, unsettled: 0, exporters: new Map() }
