import type { Counter, Meter } from '@opentelemetry/api'
import { type OperatorFunction, tap } from 'rxjs'
import type {
  Clock,
  ComponentStatus,
  Keyed,
  Logger,
  Processor,
  Random,
  Screen,
  StorageProvider,
} from '../component/index.js'
import type { AheadSources } from '../state/ahead-sources.js'
import { keyedObserver } from '../state/observe.js'
import { KeyedRuntime } from '../state/runtime.js'
import type { PipelineBatch } from './batch.js'
import type { BatchFailure } from './failure.js'
import { guardRaw } from './guard-raw.js'
import { liftKeyed } from './lift-keyed.js'
import { liftMapper } from './lift-mapper.js'
import type { PipelineMetrics } from './pipeline-metrics.js'
import type { Restarts } from './restarts.js'
import type { StepSieve } from './sieve.js'

export interface LiftOptions {
  readonly id: string
  readonly type: string
  readonly pipeline: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  readonly metrics: PipelineMetrics
  readonly fail: BatchFailure
  readonly restarts: Restarts
  readonly aheadSources: AheadSources
  storage(id: string | undefined): StorageProvider
  reportStatus(status: ComponentStatus): void
}

/** A step of a pipeline. */
export interface LiftedStep {
  readonly operator: OperatorFunction<PipelineBatch, PipelineBatch>
  /** Counts what is dropped by it as the operator would. */
  readonly screen?: Screen | undefined
  /** Of steps that can tell which records they would pass on untouched. */
  readonly sieve?: StepSieve | undefined
}

export interface Lifted extends LiftedStep {
  /** After the last batch. */
  close(): Promise<void>
}

/** Makes an instrumented RxJS operator of a processor of any kind. */
export function lift(processor: Processor, options: LiftOptions): Lifted {
  const { id, pipeline, metrics, fail, restarts } = options
  const attributes = Object.freeze({ processor: id, pipeline, otel_signal: 'logs' })
  const counted = (operator: Lifted['operator']): Lifted['operator'] =>
    instrument(operator, metrics, attributes)
  if ('operator' in processor)
    return { operator: counted(guardRaw(processor, fail, restarts)), close: async () => {} }
  if ('process' in processor) {
    const { screen } = processor
    return {
      operator: counted(liftMapper(processor, fail)),
      screen: screen && {
        group: screen.group,
        member: () => screen.member(),
        dropped: records => {
          metrics.incoming.add(records.length, attributes)
          screen.dropped(records)
        },
      },
      close: async () => {},
    }
  }
  const runtime = keyedRuntime(processor, options)
  const { timeSource = 'event' } = processor
  return {
    operator: counted(liftKeyed(runtime, fail)),
    sieve: processor.touches && {
      touches: record => processor.touches?.(record) ?? true,
      timeSource,
      passed(records) {
        metrics.incoming.add(records, attributes)
        metrics.outgoing.add(records, attributes)
      },
    },
    close: () => runtime.close(),
  }
}

function keyedRuntime(
  keyed: Keyed<unknown, unknown, unknown>,
  { id, type, pipeline, clock, random, logger, meter, aheadSources, storage, reportStatus }: LiftOptions,
): KeyedRuntime<unknown, unknown, unknown> {
  const provider = storage(keyed.storage)
  // A namespace that components share is shared by those of one type: states of different types do not mix.
  const namespace = keyed.namespace === undefined ? `${pipeline}/${id}` : `${type}/${keyed.namespace}`
  const { state: codec, maxKeys } = keyed
  const merge = keyed.merge && ((remote: unknown, local: unknown) => keyed.merge?.(remote, local))
  const onTrouble = (error: Error): void => keyed.storeFailed?.(error)
  const attributes = { processor: id, pipeline }
  const observer = keyedObserver({ meter, attributes, logger, aheadSources, reportStatus })
  return new KeyedRuntime(keyed, provider.state(namespace, { codec, maxKeys, merge, onTrouble }), {
    clock,
    random,
    journal: keyed.storage !== undefined,
    shared: provider.shared,
    observer: {
      ...observer,
      store(error) {
        if (error) keyed.storeFailed?.(error)
        observer.store(error)
      },
    },
  })
}

/** Counts what goes into and comes out of a processor (`otelcol_processor_incoming_items`, `..._outgoing_items`). */
export function instrument(
  operator: OperatorFunction<PipelineBatch, PipelineBatch>,
  counters: { readonly incoming: Counter; readonly outgoing: Counter },
  attributes: { readonly [key: string]: string },
): OperatorFunction<PipelineBatch, PipelineBatch> {
  return source =>
    source.pipe(
      tap(({ records }) => records.length > 0 && counters.incoming.add(records.length, attributes)),
      operator,
      tap(({ records }) => records.length > 0 && counters.outgoing.add(records.length, attributes)),
    )
}
