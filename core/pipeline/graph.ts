import { type Observable, Subject } from 'rxjs'
import type { Busy, Exporter, Kind, Processor, Receiver, Records } from '../component/index.js'
import { MinuteLog } from '../component/minute-log.js'
import {
  type Delivery,
  type DeliveryReport,
  Gate,
  type Handover,
  settleHandover,
  sumOf,
} from '../delivery/index.js'
import { type PipelineBatch, UNKNOWN_TIME } from './batch.js'
import { into, intoQueue, type Sink, type Step } from './compose.js'
import type { GraphHandover, GraphHost, GraphReport } from './graph-host.js'
import { ReceiverIntake } from './intake.js'
import { settleAll, startAll, startFailed } from './lifecycle.js'
import { Pipeline, type PipelineOptions } from './pipeline.js'
import {
  type ComponentPlan,
  type GraphPlan,
  type PipelinePlan,
  pipelinesWith,
  upstreamFirst,
} from './plan.js'
import { Watermarks } from './watermarks.js'

// Timers of keyed components run at this pace; waiters of a gate look again.
const TICK_MS = 1_000

interface RunningReceiver {
  readonly id: string
  readonly receiver: Receiver
  readonly intake: ReceiverIntake
}

/** Of a pipeline, or a connector. */
interface RunningProcessor {
  readonly kind: 'processor' | 'connector'
  readonly id: string
  readonly processor: Processor
  readonly pipelines: readonly string[]
}

/** The components of one configuration, wired and running. */
export class Graph {
  readonly #gate = new Gate()
  readonly #watermarks = new Watermarks()
  readonly #refusals: MinuteLog
  readonly #deliveries = new Map<string, Delivery>()
  readonly #processors: RunningProcessor[] = []
  readonly #receivers: RunningReceiver[] = []
  /** Pipelines and connectors, upstream first. */
  readonly #pipelines = new Map<string, Pipeline>()
  /** What receivers bring. */
  readonly #batches = new Map<string, Subject<PipelineBatch>>()
  /** From pipelines into connectors, and from there into pipelines. */
  readonly #ways = new Map<string, Subject<PipelineBatch>>()
  readonly #ended = new Set<Receiver>()
  /** Only what was started is stopped. */
  readonly #started = new Set<Delivery | Processor | Receiver>()
  #cancelTick = (): void => {}

  /** Creates all components; nothing runs yet. Throws what a component's `create` throws. */
  constructor(
    private readonly plan: GraphPlan,
    private readonly host: GraphHost,
  ) {
    this.#refusals = new MinuteLog(host.clock)
    for (const [id, exporter] of plan.exporters) {
      const pipelines = pipelinesWith(plan, 'exporters', id)
      if (pipelines.length === 0) continue
      const created = host.create<Exporter>('exporter', exporter, pipelines)
      this.#deliveries.set(
        id,
        host.deliver(exporter, created, pipelines, () => this.#gate.changed()),
      )
    }
    for (const id of upstreamFirst(plan)) {
      const pipeline = plan.pipelines.get(id)
      const built = pipeline
        ? this.#buildPipeline(id, pipeline)
        : this.#buildConnector(id, plan.connectors.get(id) as ComponentPlan)
      this.#pipelines.set(id, built)
    }
    for (const [id, receiver] of plan.receivers) this.#createReceiver(id, receiver)
  }

  /** Starts exporters, processors, receivers, in this order. On a throw, call `stop` for what did start. */
  async start(): Promise<void> {
    for (const [id, delivery] of this.#deliveries) {
      const pipelines = pipelinesWith(this.plan, 'exporters', id)
      await this.#startOne('exporter', id, pipelines, delivery, () => delivery.start())
    }
    // At once: each may have to wait for what it reads, such as a lookup table.
    await startAll(this.#processors, ({ kind, id, pipelines, processor }) =>
      this.#startOne(kind, id, pipelines, processor, () => processor.start?.()),
    )
    // Before the first record: keyed processors take up what timers decided before a crash.
    for (const pipeline of this.#pipelines.values()) pipeline.advance(UNKNOWN_TIME)
    for (const { id, receiver, intake } of this.#receivers) {
      const pipelines = pipelinesWith(this.plan, 'receivers', id)
      await this.#startOne('receiver', id, pipelines, receiver, () => receiver.start(intake))
    }
    this.#tick()
  }

  /**
   * Stops receivers, lets what is inside come out, then stops processors and exporters. What is not done in
   * `timeoutMs` stays: in durable queues, or with the sources. `leave`: as for a delivery.
   */
  async stop(timeoutMs: number, leave?: Promise<unknown>): Promise<GraphReport> {
    const leftMs = await this.#quiesce(timeoutMs)
    const deliveries = [...this.#deliveries.values()].filter(delivery => this.#started.has(delivery))
    const reports = await Promise.all(deliveries.map(delivery => delivery.stop(leftMs(), leave)))
    await this.#close()
    return {
      ...sumOf(reports),
      exporters: new Map(deliveries.map(({ id }, index) => [id, reports[index] as DeliveryReport])),
      unsettled: this.#receivers.reduce((total, { intake }) => total + intake.unsettledRecords, 0),
    }
  }

  /**
   * Stops for a reload: what the queues of the exporters in `keep` hold is handed over, the others drain. `settle`:
   * nothing outlives the process, so that what is handed over is settled with its sources.
   */
  async handOver(timeoutMs: number, keep: ReadonlySet<string>, settle: boolean): Promise<GraphHandover> {
    for (const [id, delivery] of this.#deliveries) if (keep.has(id)) delivery.unbind()
    const leftMs = await this.#quiesce(timeoutMs)
    const handovers = new Map<string, Handover>()
    const reports = await Promise.all(
      [...this.#deliveries].map(async ([id, delivery]) => {
        if (!this.#started.has(delivery)) return []
        if (!keep.has(id)) return [await delivery.stop(leftMs())]
        const handover = await delivery.takeOver(leftMs())
        handovers.set(id, handover)
        return [handover.report]
      }),
    )
    if (settle) for (const handover of handovers.values()) settleHandover(handover)
    await this.#close()
    return { handovers, report: sumOf(reports.flat()) }
  }

  /** Sends the time of each pipeline through it, as happens each second. */
  sendTime(): void {
    for (const [id, pipeline] of this.#pipelines) {
      pipeline.advance(this.#watermarkOf(id) ?? UNKNOWN_TIME)
    }
    this.#gate.changed()
  }

  /** Receivers stop, pipelines run empty. The answer says how much of the time is left. */
  async #quiesce(timeoutMs: number): Promise<() => number> {
    const { clock } = this.host
    const endMs = clock.monotonicMs() + timeoutMs
    const deadline = new AbortController()
    const cancel = clock.schedule(timeoutMs, () => deadline.abort())
    this.#cancelTick()
    for (const { id } of this.#receivers) {
      this.host.report('receiver', id, pipelinesWith(this.plan, 'receivers', id), 'stopping')
    }
    await this.#all(
      this.#receivers.map(({ receiver }) => receiver),
      receiver => receiver.stop(),
    )
    await Promise.all(this.#receivers.map(({ intake }) => intake.close()))
    for (const pipeline of this.#pipelines.values()) await pipeline.close(deadline.signal)
    cancel()
    await this.#all(
      this.#processors.map(({ processor }) => processor),
      processor => processor.stop?.(),
    )
    return () => Math.max(0, endMs - clock.monotonicMs())
  }

  async #close(): Promise<void> {
    // What settled last reaches its receiver first, so that it is in the last checkpoint.
    await new Promise(resolve => setImmediate(resolve))
    this.#refusals.close()
    await this.#all(
      this.#receivers.map(({ receiver }) => receiver),
      receiver => receiver.close?.(),
    )
  }

  async #startOne(
    kind: Kind,
    id: string,
    pipelines: readonly string[],
    component: Delivery | Processor | Receiver,
    start: () => Promise<void> | undefined,
  ): Promise<void> {
    this.host.report(kind, id, pipelines, 'starting')
    this.#started.add(component)
    try {
      await start()
    } catch (error) {
      throw startFailed(kind, id, error)
    }
    this.host.report(kind, id, pipelines, 'started')
  }

  #buildPipeline(id: string, { receivers, processors, exporters }: PipelinePlan): Pipeline {
    const steps: Step[] = []
    const admit: ((records: Records) => Busy | undefined)[] = []
    for (const name of processors) {
      const plan = this.plan.processors.get(name) as ComponentPlan
      const processor = this.host.create<Processor>('processor', plan, [id])
      this.#processors.push({ kind: 'processor', id: name, processor, pipelines: [id] })
      steps.push(this.host.lift(processor, plan, 'processor', id))
      if (processor.admit) admit.push(records => processor.admit?.(records))
    }
    return this.#wire(
      id,
      receivers.map(name => (this.plan.connectors.has(name) ? this.#way(name, id) : this.#batchesOf(name))),
      steps,
      exporters.map(name => {
        const delivery = this.#deliveries.get(name)
        return delivery ? intoQueue(delivery, id) : this.#into(id, name)
      }),
      admit,
    )
  }

  /** A pipeline of one step, from the pipelines that export to it to those that receive from it. */
  #buildConnector(id: string, plan: ComponentPlan): Pipeline {
    const from = pipelinesWith(this.plan, 'exporters', id)
    const to = pipelinesWith(this.plan, 'receivers', id)
    const processor = this.host.create<Processor>('connector', plan, to)
    this.#processors.push({ kind: 'connector', id, processor, pipelines: [...from, ...to] })
    return this.#wire(
      id,
      from.map(pipeline => this.#way(pipeline, id)),
      [this.host.lift(processor, plan, 'connector', id)],
      to.map(pipeline => this.#into(id, pipeline)),
      [],
    )
  }

  #wire(
    id: string,
    sources: readonly Observable<PipelineBatch>[],
    processors: readonly Step[],
    exporters: readonly Sink[],
    admit: PipelineOptions['admit'],
  ): Pipeline {
    return new Pipeline({
      sources,
      processors,
      exporters,
      admit,
      gate: this.#gate,
      onTime: watermark => this.#watermarks.reached(id, watermark),
      onCrash: error => this.host.onCrash(id, error),
    })
  }

  /** Between a pipeline and a connector. */
  #into(from: string, to: string): Sink {
    return into(this.#way(from, to), () => this.#pipelines.get(to)?.full ?? false, this.#gate)
  }

  #way(from: string, to: string): Subject<PipelineBatch> {
    return kept(this.#ways, `${from} > ${to}`)
  }

  #batchesOf(receiver: string): Subject<PipelineBatch> {
    return kept(this.#batches, receiver)
  }

  #createReceiver(id: string, plan: ComponentPlan): void {
    const names = pipelinesWith(this.plan, 'receivers', id)
    if (names.length === 0) return
    const receiver = this.host.create<Receiver>('receiver', plan, names)
    const intake = new ReceiverIntake({
      receiver: id,
      pipelines: names.map(name => this.#pipelines.get(name) as Pipeline),
      batches: this.#batchesOf(id),
      metrics: this.host.intakeMetrics,
      gate: this.#gate,
      onRefused: (records, reason) => this.#refused(id, records, reason),
      onEnd: () => this.#inputEnded(receiver),
    })
    this.#receivers.push({ id, receiver, intake })
  }

  #refused(receiver: string, count: number, reason: string): void {
    this.#refusals.add(JSON.stringify([receiver, reason]), count, records =>
      this.host.logger.warn('Input was refused for now: its source tries again.', {
        receiver,
        reason,
        records,
      }),
    )
  }

  #inputEnded(receiver: Receiver): void {
    this.#ended.add(receiver)
    this.#watermarks.ended(receiver)
    if (this.#ended.size === this.#receivers.length) this.host.onEnd()
  }

  /** One component's failure to stop must not keep the others running. */
  async #all<T extends Processor | Receiver>(
    components: readonly T[],
    stop: (component: T) => Promise<void> | undefined,
  ) {
    await settleAll(
      components.filter(component => this.#started.has(component)),
      stop,
      this.host.logger,
    )
  }

  #tick(): void {
    this.#cancelTick = this.host.clock.schedule(this.host.tickMs ?? TICK_MS, () => {
      this.sendTime()
      this.#tick()
    })
  }

  #watermarkOf(id: string): bigint | undefined {
    const sources = this.plan.pipelines.get(id)?.receivers
    if (!sources) return this.#watermarks.of([], pipelinesWith(this.plan, 'exporters', id))
    const receivers = this.#receivers.filter(entry => sources.includes(entry.id)).map(entry => entry.receiver)
    return this.#watermarks.of(
      receivers,
      sources.filter(source => this.plan.connectors.has(source)),
    )
  }
}

function kept(ways: Map<string, Subject<PipelineBatch>>, key: string): Subject<PipelineBatch> {
  const way = ways.get(key) ?? new Subject<PipelineBatch>()
  ways.set(key, way)
  return way
}
