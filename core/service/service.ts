import { randomUUID } from 'node:crypto'
import type {
  Clock,
  Extension,
  Host,
  LogAttributes,
  Logger,
  PipelinesInUse,
  Random,
  ServiceStatus,
} from '../component/index.js'
import { ConfigError, errorText, formatProblem, orAborted } from '../component/index.js'
import { createDeadLetters, type DeliveryReport, type Handover, sumOf } from '../delivery/index.js'
import type { GraphReport } from '../pipeline/graph-host.js'
import { type PipelineMetrics, pipelineMetrics } from '../pipeline/pipeline-metrics.js'
import { AheadSources } from '../state/ahead-sources.js'
import { memoryStorage } from '../state/memory-state.js'
import type { Metrics } from '../telemetry/metrics.js'
import { MetricsPush } from '../telemetry/metrics-push.js'
import { Components } from './components.js'
import { Extensions } from './extensions.js'
import { reportLeftQueues } from './left-queues.js'
import { Listeners } from './listeners.js'
import { MetricsEndpoint } from './metrics-endpoint.js'
import { type CompileCondition, RunningGraph, type RunningGraphOptions } from './running-graph.js'
import type { ServiceSettings } from './settings.js'
import { SharedQueue } from './shared-queue.js'
import { SharedQueues } from './shared-queues.js'
import { StatusBoard } from './status.js'
import { Turns } from './turns.js'

export interface ServiceOptions {
  readonly version: string
  /** Reads and validates the configuration; throws `ConfigError`. Called at start and for each reload. */
  readonly load: () => Promise<ServiceSettings>
  /** The configuration that is about to run: a new one, or the old one again. */
  readonly apply?: (settings: ServiceSettings) => void
  readonly logger: Logger & { child(attributes: LogAttributes): Logger }
  readonly metrics: Metrics
  readonly clock: Clock
  readonly random: Random
  /** How often time goes through the pipelines; default each second. Infinity: only when `sendTime` is called. */
  readonly tickMs?: number
}

/**
 * One running collector. It owns what outlives a configuration: storage extensions, state in memory, memory queues,
 * listening sockets and metrics.
 */
export class Service implements Host {
  readonly #listeners = new Listeners()
  readonly #memory = memoryStorage()
  readonly #status: StatusBoard
  readonly #extensions: Extensions
  readonly #sharedQueues: SharedQueues
  /** Tells this collector from others that share a storage. */
  readonly #instance = randomUUID().slice(0, 8)
  readonly #metricsEndpoint: MetricsEndpoint
  readonly #metricsPush: MetricsPush
  readonly #pipelineMetrics: PipelineMetrics
  readonly #ended: Promise<void>
  #end: () => void = () => {}
  #graph: RunningGraph | undefined
  #settings: ServiceSettings | undefined
  #handovers: ReadonlyMap<string, Handover> = new Map()
  /** What the graphs before a reload did. */
  #before: DeliveryReport = NOTHING
  readonly #aheadSources = new AheadSources()
  readonly #stopping = new AbortController()
  /** Start, reload and stop come one after another. */
  readonly #turns = new Turns()

  constructor(private readonly options: ServiceOptions) {
    const { clock, version, metrics, logger } = options
    this.#status = new StatusBoard(clock, version)
    this.#pipelineMetrics = pipelineMetrics(metrics.meter)
    this.#metricsEndpoint = new MetricsEndpoint(metrics, this.#listeners, logger, clock)
    this.#metricsPush = new MetricsPush(metrics, clock, logger)
    this.#extensions = new Extensions({
      create: plan => {
        const components = this.#components(this.#settings?.baseDir ?? '.')
        return {
          extension: components.create<Extension>('extension', plan, []),
          close: () => components.close(),
        }
      },
      host: this,
      logger,
      report: (id, status) => {
        const key = { kind: 'extension', id, pipelines: [] } as const
        if (status === 'stopped') this.#status.remove(key)
        else if (status === 'started') this.#status.started(key)
        else this.#status.set(key, { status })
      },
    })
    this.#sharedQueues = new SharedQueues(
      queue =>
        new SharedQueue({
          ...queue,
          clock,
          random: options.random,
          meter: metrics.meter,
          logger: logger.child({ kind: 'exporter', component: queue.exporter }),
        }),
    )
    this.#ended = new Promise(resolve => {
      this.#end = resolve
    })
  }

  /** Resolves when all inputs have ended. */
  get ended(): Promise<void> {
    return this.#ended
  }

  status(): ServiceStatus {
    return this.#status.status()
  }

  scrape(): Promise<string> {
    return this.options.metrics.scrape()
  }

  /** Where it listens and what it keeps, for the start-up message. */
  describe(): readonly string[] {
    const metrics = this.#metricsEndpoint.url
    const storages = this.#extensions
      .storages()
      .map(({ id, storage }) => `Storage ${id}: ${storage.description}.`)
    return [
      ...(metrics ? [`Our own metrics: ${metrics}`] : []),
      ...this.#listeners.addresses(metrics).map(address => `Listening on ${address}`),
      ...(storages.length > 0
        ? storages
        : [
            'No storage extension is configured: queues, checkpoints and state live in memory, and a restart forgets them.',
          ]),
    ]
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
        return false
      }
      await this.#handOver(old, next)
      try {
        await this.#run(next)
        logger.info('The new configuration is in force.')
        return true
      } catch (error) {
        logger.error('The new configuration did not start; going back to the old one.', {
          reason: errorText(error),
        })
        await this.#handOver({ ...next, shutdownTimeoutMs: 0 }, old)
        await this.#run(old)
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
    return this.#turns.take(() => this.#stopAll(this.#settings?.shutdownTimeoutMs ?? 0, leave))
  }

  async #run(settings: ServiceSettings): Promise<void> {
    this.#settings = settings
    this.#status.phase = 'starting'
    this.options.apply?.(settings)
    await this.#metricsEndpoint.listen(settings.metrics)
    await this.#metricsPush.apply(settings.metrics.level === 'none' ? [] : settings.metrics.pushes)
    await this.#extensions.switchTo(settings.extensions)
    const { clock, random, logger, metrics } = this.options
    const storages = this.#extensions.storages()
    // With one storage configured every queue is durable; with several the configuration has to say which.
    const defaultStorage = storages.length === 1 ? storages[0] : undefined
    const letters = createDeadLetters({
      clock,
      logger,
      meter: metrics.meter,
      ...(defaultStorage && { store: defaultStorage.storage.keyValue('dead_letters') }),
      ...(defaultStorage?.storage.shared && { instance: this.#instance }),
    })
    const components = this.#components(settings.baseDir)
    const graph = await this.#made(components, {
      settings,
      compileCondition: await conditionsOf(settings),
      status: this.#status,
      defaultStorage: defaultStorage?.id,
      volatile: storages.length === 0,
      deadLetters: letters,
      deadLetterLease: defaultStorage?.storage.lease?.('dead_letters'),
      sharedQueues: this.#sharedQueues,
      handovers: this.#handovers,
      clock,
      random,
      logger,
      meter: components.meter(),
      metrics: this.#pipelineMetrics,
      aheadSources: this.#aheadSources,
      onEnd: this.#end,
      tickMs: this.options.tickMs,
      observers: this.#extensions.observers(pipelinesInUse(settings)),
    })
    this.#graph = graph
    await graph.start()
    this.#status.phase = 'running'
    this.#handovers = new Map()
    await this.#sharedQueues.retain()
    this.#memory.retain(components.namespaces)
    await this.#listeners.closeUnused()
    await reportLeftQueues(storages, graph.queues, logger)
  }

  /** A component that cannot be made leaves nothing of those made before it. */
  async #made(
    components: Components,
    options: Omit<RunningGraphOptions, 'components'>,
  ): Promise<RunningGraph> {
    try {
      return new RunningGraph({ ...options, components })
    } catch (error) {
      await components.close()
      throw error
    }
  }

  /** Stops the graph of a reload; what the queues of exporters that stay hold is kept for them. */
  async #handOver(settings: ServiceSettings, next: ServiceSettings): Promise<void> {
    this.#status.phase = 'stopping'
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
    this.#status.clearPipelines()
  }

  async #stopGraph(timeoutMs: number, leave?: Promise<unknown>): Promise<GraphReport> {
    const graph = this.#graph
    this.#graph = undefined
    const report = graph ? await graph.stop(timeoutMs, leave) : NOTHING
    this.#status.clearPipelines()
    return { ...report, ...sumOf([this.#before, report]) }
  }

  async #stopAll(timeoutMs: number, leave?: Promise<unknown>): Promise<GraphReport> {
    this.#stopping.abort()
    this.#status.phase = 'stopping'
    const report = await this.#stopGraph(timeoutMs, leave)
    await this.#sharedQueues.close()
    await this.#extensions.stop()
    await this.#metricsEndpoint.close()
    await this.#metricsPush.close()
    await this.#listeners.close()
    return report
  }

  #components(baseDir: string): Components {
    return new Components(
      {
        logger: this.options.logger,
        meter: this.options.metrics.meter,
        clock: this.options.clock,
        random: this.options.random,
        listeners: this.#listeners,
        memory: this.#memory,
        status: this.#status,
        extensions: () => this.#extensions,
      },
      baseDir,
    )
  }
}

function pipelinesInUse({ graph }: ServiceSettings): PipelinesInUse {
  return Object.fromEntries(
    [...graph.pipelines].map(([id, { receivers, processors, exporters }]) => [
      id,
      { receivers, processors, exporters },
    ]),
  )
}

/** The language of conditions is loaded only where an exporter has one. */
async function conditionsOf({ graph }: ServiceSettings): Promise<CompileCondition | undefined> {
  const conditional = [...graph.exporters.values()].some(({ config }) => 'condition' in config)
  return conditional ? (await import('../toolkit/ottl/index.js')).compileCondition : undefined
}

const NONE: DeliveryReport = { delivered: 0, persisted: 0, dropped: 0, deadLettered: 0 }
const NOTHING: GraphReport = { ...NONE, unsettled: 0, exporters: new Map() }
