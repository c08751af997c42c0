import { PermanentError } from '../component/errors.js'
import { parseDuration } from '../component/units.js'
import type { CommonConfig, ExporterFlags } from './schema.js'

/** The keys that every exporter takes, in units of the program. */
export interface DeliverySettings {
  /** For one attempt; 0: no limit. */
  readonly timeoutMs: number
  readonly queue: QueueSettings
  readonly retry: RetrySettings
}

export interface QueueSettings {
  readonly enabled: boolean
  readonly consumers: number
  /** By `sizer`. */
  readonly capacity: number
  readonly sizer: 'requests' | 'items' | 'bytes'
  /** Id of a storage extension: the queue is durable. */
  readonly storage: string | undefined
  readonly blockOnOverflow: boolean
  readonly waitForResult: boolean
  readonly batch: BatchSettings | undefined
}

/** Sizes in records. */
export interface BatchSettings {
  readonly flushMs: number
  readonly minSize: number
  /** 0: no limit. */
  readonly maxSize: number
}

export interface RetrySettings {
  readonly enabled: boolean
  readonly initialIntervalMs: number
  readonly multiplier: number
  readonly randomizationFactor: number
  readonly maxIntervalMs: number
  /** 0: never gives up. */
  readonly maxElapsedMs: number
}

/**
 * The settings of an exporter. `storage` is the storage extension for queues that name none (with one storage
 * configured every queue is durable).
 */
export function deliverySettings(
  config: CommonConfig,
  flags: ExporterFlags,
  storage?: string,
): DeliverySettings {
  const { sending_queue: queue = {}, retry_on_failure: retry = {} } = config
  const { batch } = queue
  const enabled = queue.enabled ?? !flags.local
  return {
    timeoutMs: ms(config.timeout, 10_000),
    queue: {
      enabled,
      // Several consumers would let a later request overtake an earlier one.
      consumers:
        flags.notifying || flags.ordered || flags.local || !enabled ? 1 : (queue.num_consumers ?? 10),
      capacity: enabled ? (queue.queue_size ?? 1_000) : 1,
      sizer: enabled ? (queue.sizer ?? 'requests') : 'requests',
      storage: enabled ? (queue.storage ?? storage) : undefined,
      blockOnOverflow: queue.block_on_overflow ?? false,
      waitForResult: queue.wait_for_result ?? false,
      batch:
        batch && enabled && !flags.notifying
          ? {
              flushMs: ms(batch.flush_timeout, 200),
              minSize: batch.min_size ?? 8_192,
              maxSize: batch.max_size ?? 0,
            }
          : undefined,
    },
    retry: {
      enabled: retry.enabled ?? true,
      initialIntervalMs: ms(retry.initial_interval, 500),
      multiplier: retry.multiplier ?? 2,
      randomizationFactor: retry.randomization_factor ?? 0.5,
      maxIntervalMs: ms(retry.max_interval, 30_000),
      maxElapsedMs: ms(retry.max_elapsed_time, 300_000),
    },
  }
}

function ms(value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  const parsed = parseDuration(value)
  if (parsed === undefined) throw new PermanentError('invalid_duration', `"${value}" is no duration.`)
  return parsed
}
