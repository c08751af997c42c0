import { type Kind, type Processor, type Receiver, RetryableError } from '../component/index.js'
import { MinuteLog } from '../component/minute-log.js'
import { orAborted } from '../component/or-aborted.js'
import {
  type Delivery,
  type DeliveryReport,
  Gate,
  type Handover,
  settleHandover,
  sumOf,
} from '../delivery/index.js'
import { UNKNOWN_TIME } from './batch.js'
import type { GraphHandover, GraphHost, GraphReport } from './graph-host.js'
import { settleAll, startAll, startFailed } from './lifecycle.js'
import { type GraphPlan, pipelinesWith } from './plan.js'
import { Watermarks } from './watermarks.js'
import { Wiring } from './wiring.js'

// Timers of keyed components run at this pace; waiters of a gate look again.
const TICK_MS = 1_000

/** The components of one configuration, wired and running. */
export class Graph {
  readonly #gate = new Gate()
  readonly #watermarks = new Watermarks()
  readonly #refusals: MinuteLog
  readonly #wiring: Wiring
  readonly #ended = new Set<Receiver>()
  /** Only what was started is stopped. */
  readonly #started = new Set<Delivery | Processor | Receiver>()
  #stopping = false
  #cancelTick = (): void => {}

  /** Creates all components; nothing runs yet. Throws what a component's `create` throws. */
  constructor(
    private readonly plan: GraphPlan,
    private readonly host: GraphHost,
  ) {
    this.#refusals = new MinuteLog(host.clock)
    this.#wiring = new Wiring(plan, host, this.#gate, {
      onTime: (id, watermark) => this.#watermarks.reached(id, watermark),
      onRefused: (receiver, records, reason) => this.#refused(receiver, records, reason),
      onInputEnd: receiver => this.#inputEnded(receiver),
    })
  }

  /** Starts exporters, processors, receivers, in this order. On a throw, call `stop` for what did start. */
  async start(): Promise<void> {
    for (const [id, delivery] of this.#wiring.deliveries) {
      const pipelines = pipelinesWith(this.plan, 'exporters', id)
      await this.#startOne('exporter', id, pipelines, delivery, () => delivery.start())
    }
    // At once: each may have to wait for what it reads, such as a lookup table.
    await startAll(this.#wiring.processors, ({ kind, id, pipelines, processor }) =>
      this.#startOne(kind, id, pipelines, processor, () => processor.start?.()),
    )
    // Before the first record: keyed processors take up what timers decided before a crash.
    for (const pipeline of this.#wiring.pipelines.values()) pipeline.advance(UNKNOWN_TIME)
    for (const { id, receiver, intake } of this.#wiring.receivers) {
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
    const deliveries = [...this.#wiring.deliveries.values()].filter(delivery => this.#started.has(delivery))
    const reports = await Promise.all(deliveries.map(delivery => delivery.stop(leftMs(), leave)))
    await this.#close()
    return {
      ...sumOf(reports),
      exporters: new Map(deliveries.map(({ id }, index) => [id, reports[index] as DeliveryReport])),
      unsettled: this.#wiring.receivers.reduce((total, { intake }) => total + intake.unsettledRecords, 0),
    }
  }

  /**
   * Stops for a reload: what the queues of the exporters in `keep` hold is handed over, the others drain. `settle`:
   * nothing outlives the process, so that what is handed over is settled with its sources.
   */
  async handOver(timeoutMs: number, keep: ReadonlySet<string>, settle: boolean): Promise<GraphHandover> {
    for (const [id, delivery] of this.#wiring.deliveries) if (keep.has(id)) delivery.unbind()
    const leftMs = await this.#quiesce(timeoutMs)
    const handovers = new Map<string, Handover>()
    const reports = await Promise.all(
      [...this.#wiring.deliveries].map(async ([id, delivery]) => {
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
    for (const { intake } of this.#wiring.receivers) intake.tell()
    for (const [id, pipeline] of this.#wiring.pipelines) {
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
    for (const { id } of this.#wiring.receivers) {
      this.host.report('receiver', id, pipelinesWith(this.plan, 'receivers', id), 'stopping')
    }
    this.#stopping = true
    const stopped = this.#all(
      this.#wiring.receivers.map(({ receiver }) => receiver),
      receiver => receiver.stop(),
    )
    // One that does not end keeps nothing from being drained.
    await orAborted(stopped, deadline.signal)
    await Promise.all(this.#wiring.receivers.map(({ intake }) => intake.close()))
    for (const pipeline of this.#wiring.pipelines.values()) await pipeline.close(deadline.signal)
    cancel()
    await this.#all(
      this.#wiring.processors.map(({ processor }) => processor),
      processor => processor.stop?.(),
    )
    return () => Math.max(0, endMs - clock.monotonicMs())
  }

  async #close(): Promise<void> {
    // What settled last reaches its receiver first, so that it is in the last checkpoint.
    await new Promise(resolve => setImmediate(resolve))
    this.#refusals.close()
    await this.#all(
      this.#wiring.receivers.map(({ receiver }) => receiver),
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
    if (this.#stopping) throw new RetryableError('stopping', 'The service stops.')
    this.host.report(kind, id, pipelines, 'starting')
    this.#started.add(component)
    try {
      await start()
    } catch (error) {
      throw startFailed(kind, id, error)
    }
    this.host.report(kind, id, pipelines, 'started')
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
    if (this.#ended.size === this.#wiring.receivers.length) this.host.onEnd()
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
    const receivers = this.#wiring.receivers
      .filter(entry => sources.includes(entry.id))
      .map(entry => entry.receiver)
    return this.#watermarks.of(
      receivers,
      sources.filter(source => this.plan.connectors.has(source)),
    )
  }
}
