import type { OperatorFunction } from 'rxjs'
import type { Clock, Exporter, Kind, Logger, Processor, Records } from '../component/index.js'
import type { Delivery, DeliveryReport, Handover } from '../delivery/index.js'
import type { PipelineBatch } from './batch.js'
import type { IntakeMetrics, TraceOffer } from './intake.js'
import type { LiftedStep } from './lift.js'
import type { ComponentPlan } from './plan.js'

/** What the service lends to a graph. */
export interface GraphHost {
  readonly clock: Clock
  readonly logger: Logger
  readonly intakeMetrics: IntakeMetrics
  /** Timers of keyed components run at this pace; default a second. */
  readonly tickMs?: number | undefined
  /** What comes in at a receiver, before its pipelines. */
  lookIn(receiver: string, records: Records): void
  /** What a pipeline has made, before its exporters. */
  lookOut(pipeline: string): OperatorFunction<PipelineBatch, PipelineBatch>
  /** Whether somebody looks on, anywhere: then every record is made. */
  looks(): boolean
  /** Undefined: nothing is traced. */
  traceReceiver(id: string): TraceOffer | undefined
  create<C>(kind: Kind, plan: ComponentPlan, pipelines: readonly string[]): C
  /** `onRoom`: the queue was full and is not any more. */
  deliver(plan: ComponentPlan, exporter: Exporter, pipelines: readonly string[], onRoom: () => void): Delivery
  lift(processor: Processor, plan: ComponentPlan, kind: Kind, pipeline: string): LiftedStep
  /** `started`: ok, unless the component said otherwise. */
  report(
    kind: Kind,
    id: string,
    pipelines: readonly string[],
    status: 'starting' | 'started' | 'stopping',
  ): void
  /** All inputs have ended. */
  onEnd(): void
  onCrash(pipeline: string, error: unknown): void
}

/** What a graph leaves to the next one. */
export interface GraphHandover {
  /** By exporter. */
  readonly handovers: ReadonlyMap<string, Handover>
  readonly report: DeliveryReport
}

export interface GraphReport extends DeliveryReport {
  /** Admitted records that were not settled before the deadline; a source with a checkpoint delivers them again. */
  readonly unsettled: number
  /** What each exporter did. */
  readonly exporters: ReadonlyMap<string, DeliveryReport>
}
