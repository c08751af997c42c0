import { type Observable, Subject } from 'rxjs'
import type { Busy, Exporter, Processor, Receiver, Records, Screen } from '../component/index.js'
import type { Delivery, Gate } from '../delivery/index.js'
import type { PipelineBatch } from './batch.js'
import { into, intoQueue, type Sink, type Step } from './compose.js'
import type { GraphHost } from './graph-host.js'
import { ReceiverIntake } from './intake.js'
import { Pipeline, type PipelineOptions } from './pipeline.js'
import {
  type ComponentPlan,
  type GraphPlan,
  type PipelinePlan,
  pipelinesWith,
  upstreamFirst,
} from './plan.js'
import { type PipelineSieve, pipelineSieve, type StepSieve } from './sieve.js'

export interface RunningReceiver {
  readonly id: string
  readonly receiver: Receiver
  readonly intake: ReceiverIntake
}

/** Of a pipeline, or a connector. */
export interface RunningProcessor {
  readonly kind: 'processor' | 'connector'
  readonly id: string
  readonly processor: Processor
  readonly pipelines: readonly string[]
}

/** What the wired parts say of themselves while they run. */
export interface WiringEvents {
  /** Time came out of a pipeline or connector. */
  onTime(id: string, watermark: bigint): void
  /** Input that a receiver offered was not taken. */
  onRefused(receiver: string, records: number, reason: string): void
  onInputEnd(receiver: Receiver): void
}

/** The components of a plan, created and connected to each other; nothing runs yet. */
export class Wiring {
  readonly deliveries = new Map<string, Delivery>()
  readonly processors: RunningProcessor[] = []
  readonly receivers: RunningReceiver[] = []
  /** Pipelines and connectors, upstream first. */
  readonly pipelines = new Map<string, Pipeline>()
  /** Of the first processor of a pipeline. */
  readonly #screens = new Map<string, Screen>()
  readonly #sieves = new Map<string, PipelineSieve | undefined>()
  /** From receivers into pipelines, from there into connectors, and from there into pipelines. */
  readonly #ways = new Map<string, Subject<PipelineBatch>>()

  /** Throws what a component's `create` throws. */
  constructor(
    private readonly plan: GraphPlan,
    private readonly host: GraphHost,
    private readonly gate: Gate,
    private readonly events: WiringEvents,
  ) {
    for (const [id, exporter] of plan.exporters) this.#createExporter(id, exporter)
    for (const id of upstreamFirst(plan)) {
      const pipeline = plan.pipelines.get(id)
      const built = pipeline
        ? this.#buildPipeline(id, pipeline)
        : this.#buildConnector(id, plan.connectors.get(id) as ComponentPlan)
      this.pipelines.set(id, built)
    }
    for (const [id, receiver] of plan.receivers) this.#createReceiver(id, receiver)
  }

  #createExporter(id: string, plan: ComponentPlan): void {
    const pipelines = pipelinesWith(this.plan, 'exporters', id)
    if (pipelines.length === 0) return
    const exporter = this.host.create<Exporter>('exporter', plan, pipelines)
    const onRoom = (): void => this.gate.changed()
    this.deliveries.set(id, this.host.deliver(plan, exporter, pipelines, onRoom))
  }

  #buildPipeline(id: string, { receivers, processors, exporters }: PipelinePlan): Pipeline {
    const steps: Step[] = []
    const sieves: (StepSieve | undefined)[] = []
    const admit: ((records: Records) => Busy | undefined)[] = []
    for (const name of processors) {
      const plan = this.plan.processors.get(name) as ComponentPlan
      const processor = this.host.create<Processor>('processor', plan, [id])
      this.processors.push({ kind: 'processor', id: name, processor, pipelines: [id] })
      const { operator, screen, sieve } = this.host.lift(processor, plan, 'processor', id)
      sieves.push(sieve)
      if (screen && steps.length === 0) this.#screens.set(id, screen)
      steps.push(operator)
      if (processor.admit) admit.push(records => processor.admit?.(records))
    }
    this.#sieves.set(
      id,
      pipelineSieve(
        sieves,
        exporters.map(name => this.deliveries.get(name)?.wants),
      ),
    )
    return this.#wire(
      id,
      receivers.map(name => this.#way(name, id)),
      [...steps, this.host.lookOut(id)],
      exporters.map(name => {
        const delivery = this.deliveries.get(name)
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
    this.processors.push({ kind: 'connector', id, processor, pipelines: [...from, ...to] })
    return this.#wire(
      id,
      from.map(pipeline => this.#way(pipeline, id)),
      [this.host.lift(processor, plan, 'connector', id).operator],
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
      gate: this.gate,
      onTime: watermark => this.events.onTime(id, watermark),
      onCrash: error => this.host.onCrash(id, error),
    })
  }

  #into(from: string, to: string): Sink {
    return into(this.#way(from, to), () => this.pipelines.get(to)?.full ?? false, this.gate)
  }

  #way(from: string, to: string): Subject<PipelineBatch> {
    const key = `${from} > ${to}`
    const way = this.#ways.get(key) ?? new Subject<PipelineBatch>()
    this.#ways.set(key, way)
    return way
  }

  /** Pipelines with the same exporters are full at the same time: unless a processor is to be asked too, one speaks for all. */
  #asked(names: readonly string[]): readonly Pipeline[] {
    const asked = new Map<string, Pipeline>()
    for (const name of names) {
      const { exporters } = this.plan.pipelines.get(name) as PipelinePlan
      const pipeline = this.pipelines.get(name) as Pipeline
      asked.set(pipeline.asksProcessors ? name : JSON.stringify(exporters), pipeline)
    }
    return [...asked.values()]
  }

  #createReceiver(id: string, plan: ComponentPlan): void {
    const names = pipelinesWith(this.plan, 'receivers', id)
    if (names.length === 0) return
    const receiver = this.host.create<Receiver>('receiver', plan, names)
    const intake = new ReceiverIntake({
      receiver: id,
      asked: this.#asked(names),
      inlets: names.map(name => ({ way: this.#way(id, name), screen: this.#screens.get(name) })),
      sieves: names.map(name => this.#sieves.get(name)),
      looks: () => this.host.looks(),
      clock: this.host.clock,
      metrics: this.host.intakeMetrics,
      gate: this.gate,
      trace: this.host.traceReceiver(id),
      onBatch: records => this.host.lookIn(id, records),
      onRefused: (records, reason) => this.events.onRefused(id, records, reason),
      onEnd: () => this.events.onInputEnd(receiver),
    })
    this.receivers.push({ id, receiver, intake })
  }
}
