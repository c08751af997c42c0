import { randomUUID } from 'node:crypto'
import type { Clock, Extension, Host, LogAttributes, Logger, Problem, Random } from '../component/index.js'
import { createDeadLetters, type Handover } from '../delivery/index.js'
import { type PipelineMetrics, pipelineMetrics } from '../pipeline/pipeline-metrics.js'
import { AheadSources } from '../state/ahead-sources.js'
import { memoryStorage } from '../state/memory-state.js'
import type { Metrics } from '../telemetry/metrics.js'
import { MetricsPush } from '../telemetry/metrics-push.js'
import { Traces } from '../telemetry/traces.js'
import { Components, namespaceOf } from './components.js'
import { Extensions } from './extensions.js'
import type { CompileCondition } from './graph-deliveries.js'
import { graphInUse, pointsOf } from './graph-in-use.js'
import { reportLeftQueues } from './left-queues.js'
import { Listeners } from './listeners.js'
import { MetricsEndpoint } from './metrics-endpoint.js'
import { RunningGraph } from './running-graph.js'
import type { ServiceSettings } from './settings.js'
import { SharedQueue } from './shared-queue.js'
import { SharedQueues } from './shared-queues.js'
import { StatusBoard } from './status.js'
import { Taps } from './tap/taps.js'

export interface LastingOptions {
  readonly version: string
  readonly logger: Logger & { child(attributes: LogAttributes): Logger }
  readonly metrics: Metrics
  readonly clock: Clock
  readonly random: Random
  /** How often time goes through the pipelines; default each second. Infinity: only when `sendTime` is called. */
  readonly tickMs?: number
}

/**
 * What outlives a configuration: storage extensions, state in memory, listening sockets, metrics, status. A graph is
 * built on it, and after a reload the next one.
 */
export class Lasting {
  readonly status: StatusBoard
  /** Where somebody may look on. */
  readonly taps: Taps
  readonly #listeners = new Listeners()
  readonly #memory = memoryStorage()
  readonly #extensions: Extensions
  readonly #sharedQueues: SharedQueues
  /** Tells this collector from others that share a storage. */
  readonly #instance = randomUUID().slice(0, 8)
  readonly #metricsEndpoint: MetricsEndpoint
  readonly #metricsPush: MetricsPush
  readonly #traces: Traces
  readonly #pipelineMetrics: PipelineMetrics
  readonly #aheadSources = new AheadSources()
  #baseDir = '.'

  constructor(
    private readonly options: LastingOptions,
    host: Host,
  ) {
    const { clock, random, version, metrics, logger } = options
    this.status = new StatusBoard(clock, version)
    this.#pipelineMetrics = pipelineMetrics(metrics.meter)
    this.#metricsEndpoint = new MetricsEndpoint(metrics, this.#listeners, logger, clock)
    this.#metricsPush = new MetricsPush(metrics, clock, logger)
    this.taps = new Taps(clock, random)
    this.#traces = new Traces(metrics.resource, logger, clock)
    this.#extensions = new Extensions({
      create: plan => {
        const components = this.#components()
        return {
          extension: components.create<Extension>('extension', plan, []),
          close: () => components.close(),
        }
      },
      host,
      logger,
      report: (id, status) => {
        const key = { kind: 'extension', id, pipelines: [] } as const
        if (status === 'stopped') this.status.remove(key)
        else if (status === 'started') this.status.started(key)
        else this.status.set(key, { status })
      },
    })
    this.#sharedQueues = new SharedQueues(
      queue =>
        new SharedQueue({
          ...queue,
          clock,
          random,
          meter: metrics.meter,
          logger: logger.child({ kind: 'exporter', component: queue.exporter }),
        }),
    )
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

  /** A reload that changes nothing: what was wrong with its configuration. */
  refused(problems: readonly Problem[]): void {
    this.#extensions.refused(problems)
  }

  /** Swaps the extensions and metrics whose configuration changed, and keeps the others. */
  async switchTo(settings: ServiceSettings): Promise<void> {
    this.#baseDir = settings.baseDir
    await this.#metricsEndpoint.listen(settings.metrics)
    await this.#metricsPush.apply(settings.metrics.level === 'none' ? [] : settings.metrics.pushes)
    await this.#traces.apply(settings.traces)
    await this.#extensions.switchTo(settings.extensions)
  }

  /**
   * Makes the graph of the settings last switched to; a component that cannot be made leaves nothing of those made
   * before it. To call `started` once the graph has started: what only former ones used goes.
   */
  async build(
    settings: ServiceSettings,
    handovers: ReadonlyMap<string, Handover>,
    onEnd: () => void,
  ): Promise<{ readonly graph: RunningGraph; started(): Promise<void> }> {
    const { clock, random, logger, metrics } = this.options
    const storages = this.#extensions.storages()
    // With one storage configured every queue is durable; with several the configuration has to say which.
    const defaultStorage = storages.length === 1 ? storages[0] : undefined
    const compileCondition = await conditionsOf(settings)
    const deadLetters = createDeadLetters({
      clock,
      logger,
      meter: metrics.meter,
      ...(defaultStorage && { store: defaultStorage.storage.keyValue('dead_letters') }),
      ...(defaultStorage?.storage.shared && { instance: this.#instance }),
    })
    const components = this.#components()
    try {
      const graph = new RunningGraph({
        settings,
        compileCondition,
        components,
        status: this.status,
        defaultStorage: defaultStorage?.id,
        volatile: storages.length === 0,
        deadLetters,
        keepsDeadLetters: defaultStorage !== undefined,
        deadLetterLease: defaultStorage?.storage.lease?.('dead_letters'),
        sharedQueues: this.#sharedQueues,
        handovers,
        clock,
        random,
        logger,
        meter: components.meter(),
        metrics: this.#pipelineMetrics,
        aheadSources: this.#aheadSources,
        traces: this.#traces,
        taps: this.taps,
        onEnd,
        tickMs: this.options.tickMs,
        observers: this.#extensions.observers(graphInUse(settings).pipelines),
      })
      this.taps.set(pointsOf(settings))
      const started = async (): Promise<void> => {
        await this.#sharedQueues.retain()
        const ofExtensions = [...settings.extensions.keys()].map(id => namespaceOf('extension', id))
        this.#memory.retain(new Set([...components.namespaces, ...ofExtensions]))
        await this.#listeners.closeUnused()
        await reportLeftQueues(storages, graph.queues, logger)
      }
      return { graph, started }
    } catch (error) {
      await components.close()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#sharedQueues.close()
    await this.#extensions.stop()
    await this.#metricsEndpoint.close()
    await this.#metricsPush.close()
    await this.#traces.close()
    await this.#listeners.close()
  }

  #components(): Components {
    const { logger, metrics, clock, random } = this.options
    const shared = {
      logger,
      meter: metrics.meter,
      clock,
      random,
      listeners: this.#listeners,
      memory: this.#memory,
      status: this.status,
      extensions: () => this.#extensions,
    }
    return new Components(shared, this.#baseDir)
  }
}

/** The language of conditions is loaded only where an exporter has one. */
async function conditionsOf({ graph }: ServiceSettings): Promise<CompileCondition | undefined> {
  const conditional = [...graph.exporters.values()].some(({ config }) => 'condition' in config)
  return conditional ? (await import('../toolkit/ottl/index.js')).compileCondition : undefined
}
