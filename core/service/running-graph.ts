import { tap } from 'rxjs'
import {
  type AboutKey,
  type ComponentStatus,
  type DeadLetterBox,
  type Decisions,
  errorText,
  type FlowObserver,
  type KeyAbout,
  type Kind,
  type LeaseStore,
  type Processor,
  type Receiver,
  type ReceiverFactory,
  type Records,
} from '../component/index.js'
import { MinuteLog } from '../component/minute-log.js'
import { type DeadLetters, sumOf } from '../delivery/index.js'
import type { Step } from '../pipeline/compose.js'
import { ExclusiveReceiver } from '../pipeline/exclusive-receiver.js'
import { batchFailure } from '../pipeline/failure.js'
import { Graph } from '../pipeline/graph.js'
import type { GraphHandover, GraphHost, GraphReport } from '../pipeline/graph-host.js'
import { type Lifted, type LiftedStep, lift } from '../pipeline/lift.js'
import type { PipelineMetrics } from '../pipeline/pipeline-metrics.js'
import type { ComponentPlan } from '../pipeline/plan.js'
import { RestartingReceiver } from '../pipeline/restarting-receiver.js'
import type { Restarts } from '../pipeline/restarts.js'
import type { AheadSources } from '../state/ahead-sources.js'
import { LeaseKeeper } from '../state/index.js'
import { breakdownsOf } from './breakdowns.js'
import { namespaceOf } from './components.js'
import { DeadLetterRetries } from './dead-letter-retries.js'
import { FlowWatch } from './flow-watch.js'
import { type DeliveryContext, GraphDeliveries } from './graph-deliveries.js'
import type { ServiceSettings } from './settings.js'
import type { StatusBoard } from './status.js'

export interface RunningGraphOptions extends DeliveryContext {
  readonly settings: ServiceSettings
  readonly status: StatusBoard
  /** No storage is configured: nothing outlives the process. */
  readonly volatile: boolean
  readonly deadLetters: DeadLetters
  /** They have a store. */
  readonly keepsDeadLetters: boolean
  /** Where the dead letters are shared: one collector at a time sends them again. */
  readonly deadLetterLease: LeaseStore | undefined
  readonly metrics: PipelineMetrics
  readonly aheadSources: AheadSources
  readonly onEnd: () => void
  readonly tickMs: number | undefined
  readonly observers: readonly FlowObserver[]
}

/** A graph with what the service lends it: deliveries, state, dead letters, status. */
export class RunningGraph {
  readonly #graph: Graph
  readonly #lifted: Lifted[] = []
  readonly #deliveries: GraphDeliveries
  readonly #retries: DeadLetterRetries
  readonly #retryLease: LeaseKeeper | undefined
  readonly #failures: MinuteLog
  /** Records of batches on which a processor failed; what exporters gave up is in their own reports. */
  readonly #failed = { delivered: 0, persisted: 0, deadLettered: 0, dropped: 0 }
  readonly #watch: FlowWatch | undefined

  constructor(private readonly options: RunningGraphOptions) {
    const { observers } = options
    const { clock, logger, meter, metrics, components, settings, onEnd } = options
    const withheld = meter.createCounter('tocsin_exporter_withheld_log_records', {
      description:
        'Records that an extension holds back from a notifying exporter, by reason, such as silenced.',
    })
    this.#watch = observers.length > 0 ? new FlowWatch(observers, logger, withheld) : undefined
    this.#failures = new MinuteLog(clock)
    this.#deliveries = new GraphDeliveries({
      ...options,
      deadLetters: this.#deadLetters,
      watch: this.#watch,
      redact: settings.redact,
      report: (id, pipelines, status) => this.#report('exporter', id, pipelines, status),
    })
    const host: GraphHost = {
      clock,
      logger,
      intakeMetrics: metrics,
      lookIn: (receiver, records) => options.taps.look(`receiver/${receiver}`, records),
      lookOut: pipeline => this.#seen(pipeline, pipeline),
      looks: () => options.taps.looked,
      traceReceiver: id => options.traces.receiver(id),
      create: <C>(kind: Kind, plan: ComponentPlan, pipelines: readonly string[]) => {
        if (kind !== 'receiver') return components.create<C>(kind, plan, pipelines)
        return (this.#exclusive(plan, pipelines) ?? this.#restarting(plan, pipelines)) as C
      },
      deliver: (...args) => this.#deliveries.make(...args),
      lift: (processor, plan, kind, pipeline) => this.#lift(processor, plan, kind, pipeline),
      report: (kind, id, pipelines, status) => {
        const key = { kind, id, pipelines }
        if (status === 'started') options.status.started(key)
        else options.status.set(key, { status })
      },
      onEnd,
      tickMs: options.tickMs,
      onCrash: (pipeline, error) => {
        metrics.breakdowns.add(1, { pipeline, component: '' })
        logger.error('A pipeline broke down: restart the collector.', { pipeline, reason: errorText(error) })
        const report: ComponentStatus = { status: 'fatal_error', message: errorText(error) }
        options.status.set({ kind: 'connector', id: `pipeline ${pipeline}`, pipelines: [pipeline] }, report)
      },
    }
    this.#graph = new Graph(settings.graph, host)
    const { deadLetterLease, random } = options
    this.#retryLease = deadLetterLease && new LeaseKeeper(deadLetterLease, { clock, random })
    this.#retries = new DeadLetterRetries({
      deadLetters: options.deadLetters,
      delivery: id => this.#deliveries.get(id),
      mayLook: () => !this.#retryLease || this.#retryLease.term !== undefined,
      tickMs: options.tickMs,
      clock,
      logger,
    })
  }

  async start(): Promise<void> {
    await this.#graph.start()
    this.#deliveries.adopt()
    await this.#retryLease?.start()
    if (this.options.keepsDeadLetters) this.#retries.start()
  }

  sendTime(): void {
    this.#graph.sendTime()
  }

  /** The storage of each durable queue, by exporter. */
  get queues(): ReadonlyMap<string, string> {
    return this.#deliveries.queues
  }

  get deadLetters(): DeadLetterBox | undefined {
    return this.options.keepsDeadLetters ? this.options.deadLetters : undefined
  }

  /** False when there is no such exporter. Resolves when the records are in its queue. */
  async enqueue(exporter: string, pipeline: string, records: Records): Promise<boolean> {
    const delivery = this.#deliveries.get(exporter)
    const queuedAt = this.options.clock.now()
    await delivery?.adopt(records.map(record => ({ records: [record], pipeline, queuedAt })))
    return delivery !== undefined
  }

  tellRepeats(): void {
    this.#watch?.tellRepeats()
  }

  /** Drains for at most `timeoutMs`. `leave`: as for a delivery. */
  async stop(timeoutMs: number, leave?: Promise<unknown>): Promise<GraphReport> {
    this.#deliveries.stopAdopting()
    this.#retries.stop()
    const report = await this.#graph.stop(timeoutMs, leave)
    await this.#close()
    return { ...report, ...sumOf([report, this.#failed]) }
  }

  /** Stops and hands over what the queues of the exporters in `keep` hold; the others drain. */
  async handOver(timeoutMs: number, keep: ReadonlySet<string>): Promise<GraphHandover> {
    this.#deliveries.stopAdopting()
    this.#retries.stop()
    const { handovers, report } = await this.#graph.handOver(timeoutMs, keep, this.options.volatile)
    await this.#close()
    return { handovers, report: sumOf([report, this.#failed]) }
  }

  async #close(): Promise<void> {
    await this.#deliveries.adopted()
    for (const lifted of this.#lifted) await lifted.close()
    this.tellRepeats()
    this.#failures.close()
    await this.#retries.close()
    await this.#retryLease?.close()
    this.options.deadLetters.close()
    await this.options.components.close()
  }

  /** A receiver that runs in one collector at a time, where its storage is shared. */
  #exclusive(plan: ComponentPlan, pipelines: readonly string[]): Receiver | undefined {
    const { exclusive } = plan.factory as unknown as ReceiverFactory
    const { storage } = plan.config as { readonly storage?: string }
    if (!exclusive || storage === undefined) return undefined
    const { clock, random, meter, components } = this.options
    const namespace = namespaceOf('receiver', plan.id)
    const lease = components.provider(storage).lease?.(namespace)
    if (!lease) return undefined
    const logger = this.options.logger.child({ kind: 'receiver', component: plan.id })
    return new ExclusiveReceiver({
      id: plan.id,
      lease,
      create: fence => {
        const part = components.part()
        const receiver = part.create<Receiver>('receiver', plan, pipelines, { fence })
        return { receiver, close: () => part.close() }
      },
      clock,
      random,
      logger,
      meter,
      reportStatus: status => this.#report('receiver', plan.id, pipelines, status),
    })
  }

  /** A receiver that says that it failed for good is made anew. */
  #restarting(plan: ComponentPlan, pipelines: readonly string[]): Receiver {
    const { components } = this.options
    components.namespaces.add(namespaceOf('receiver', plan.id))
    return new RestartingReceiver({
      ...this.#restarts('receiver', plan.id, pipelines),
      create: onStatus => {
        const part = components.part()
        const receiver = part.create<Receiver>('receiver', plan, pipelines, { onStatus })
        return { receiver, close: () => part.close() }
      },
      logger: this.options.logger.child({ kind: 'receiver', component: plan.id }),
      reportStatus: status => this.#report('receiver', plan.id, pipelines, status),
    })
  }

  #restarts(kind: Kind, id: string, pipelines: readonly string[]): Restarts {
    return breakdownsOf({ ...this.options, minuteLog: this.#failures }, kind, id, pipelines)
  }

  #lift(processor: Processor, plan: ComponentPlan, kind: Kind, pipeline: string): LiftedStep {
    const { clock, random, meter, metrics, components, aheadSources } = this.options
    const deadLetters = this.#deadLetters
    const logger = this.options.logger.child({ kind, component: plan.id, pipeline })
    const component = `${kind}/${plan.id}`
    const fail = batchFailure({
      logger,
      clock,
      minuteLog: this.#failures,
      name: `${component} ${pipeline}`,
      deadLetter: async (records, detail) => {
        const kept = await deadLetters.add({
          component,
          pipeline,
          reason: 'processor_failed',
          detail,
          records,
        })
        this.#failed[kept ? 'deadLettered' : 'dropped'] += records.length
      },
    })
    const lifted = lift(processor, {
      id: plan.id,
      type: plan.factory.type,
      meter,
      pipeline,
      clock,
      random,
      logger,
      metrics,
      fail,
      restarts: this.#restarts(kind, plan.id, [pipeline]),
      aheadSources,
      storage: id => components.provider(id),
      reportStatus: status => this.#report(kind, plan.id, [pipeline], status),
    })
    this.#lifted.push(lifted)
    // Called as a method: it may be one of a class.
    const about: AboutKey | undefined =
      'step' in processor && processor.about
        ? (key, record) => processor.about?.(key, record) as KeyAbout
        : undefined
    const decisions = (): Decisions | undefined => ('step' in processor ? processor.decisions?.() : undefined)
    const watched = this.#watch?.processor(pipeline, plan.id, lifted, { about, decisions }) ?? lifted
    return {
      operator: source => source.pipe(watched.operator, this.#seen(component, pipeline)),
      screen: watched.screen,
      sieve: watched.sieve,
    }
  }

  /** Where somebody may look on. */
  #seen(point: string, pipeline: string): Step {
    const { taps } = this.options
    return tap(({ records }) => taps.look(point, records, pipeline))
  }

  get #deadLetters(): Pick<DeadLetters, 'add'> {
    const { deadLetters } = this.options
    return this.#watch?.deadLetters(deadLetters) ?? deadLetters
  }

  #report(kind: Kind, id: string, pipelines: readonly string[], status: ComponentStatus): void {
    this.options.status.set({ kind, id, pipelines }, status)
  }
}
