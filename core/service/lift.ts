import type { OperatorFunction } from 'rxjs'
import type { Clock, Keyed, Logger, Processor, Random, StorageProvider } from '../component/index.js'
import { errorText } from '../component/index.js'
import type { PipelineBatch } from '../graph/batch.js'
import type { BatchFailure } from '../graph/failure.js'
import { guardRaw } from '../graph/guard-raw.js'
import { instrument } from '../graph/instrument.js'
import { liftKeyed } from '../graph/lift-keyed.js'
import { liftMapper } from '../graph/lift-mapper.js'
import { KeyedRuntime } from '../state/runtime.js'
import type { PipelineMetrics } from '../telemetry/pipeline-metrics.js'

export interface LiftOptions {
  readonly id: string
  readonly pipeline: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: PipelineMetrics
  readonly fail: BatchFailure
  storage(id: string | undefined): StorageProvider
  /** The state store cannot be reached; undefined: it can again. */
  stateTrouble(error: Error | undefined): void
}

export interface Lifted {
  readonly operator: OperatorFunction<PipelineBatch, PipelineBatch>
  /** After the last batch. */
  close(): Promise<void>
}

/** Makes an instrumented RxJS operator of a processor of any kind. */
export function lift(processor: Processor, options: LiftOptions): Lifted {
  const { id, pipeline, metrics, fail } = options
  const attributes = { processor: id, pipeline, otel_signal: 'logs' }
  const counted = (operator: Lifted['operator']): Lifted['operator'] =>
    instrument(operator, metrics, attributes)
  if ('operator' in processor) return { operator: counted(guardRaw(processor, fail)), close: async () => {} }
  if ('process' in processor) return { operator: counted(liftMapper(processor, fail)), close: async () => {} }
  const runtime = keyedRuntime(processor, options)
  return { operator: counted(liftKeyed(runtime, fail)), close: () => runtime.close() }
}

function keyedRuntime(
  keyed: Keyed<unknown, unknown, unknown>,
  { id, pipeline, clock, random, logger, metrics, storage, stateTrouble }: LiftOptions,
): KeyedRuntime<unknown, unknown, unknown> {
  const attributes = { processor: id, pipeline }
  const provider = storage(keyed.storage)
  const namespace = keyed.namespace ?? `${pipeline}/${id}`
  const store = provider.state(namespace, {
    codec: keyed.state,
    maxKeys: keyed.maxKeys,
    merge: keyed.merge && ((remote, local) => keyed.merge?.(remote, local)),
    onTrouble: error => keyed.storeFailed?.(error),
  })
  return new KeyedRuntime(keyed, store, {
    clock,
    random,
    journal: keyed.storage !== undefined,
    shared: provider.shared,
    observer: {
      stepped: (reason, count) => metrics.steps.add(count, { ...attributes, reason }),
      evicted: count => metrics.evicted.add(count, attributes),
      raced: count => metrics.raced.add(count, attributes),
      store: error => {
        if (error) {
          metrics.stateErrors.add(1, attributes)
          keyed.storeFailed?.(error)
        }
        stateTrouble(error)
      },
      timerFailed: (key, error) => {
        logger.error('A timer failed; it is disarmed, its key keeps its state.', {
          key,
          reason: errorText(error),
        })
      },
    },
  })
}
