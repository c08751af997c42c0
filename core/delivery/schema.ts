import type { CheckProblem } from '../component/factory.js'
import type { ConfigSchema } from '../component/schema.js'
import { parseDuration } from '../component/units.js'

/** The keys that every exporter takes besides its own. */
export interface CommonConfig {
  readonly timeout?: string
  readonly condition?: string
  readonly sending_queue?: {
    readonly enabled?: boolean
    readonly num_consumers?: number
    readonly queue_size?: number
    readonly sizer?: 'requests' | 'items' | 'bytes'
    readonly storage?: string
    readonly block_on_overflow?: boolean
    readonly wait_for_result?: boolean
    readonly batch?: {
      readonly flush_timeout?: string
      readonly min_size?: number
      readonly max_size?: number
    }
  }
  readonly retry_on_failure?: {
    readonly enabled?: boolean
    readonly initial_interval?: string
    readonly multiplier?: number
    readonly randomization_factor?: number
    readonly max_interval?: string
    readonly max_elapsed_time?: string
  }
}

/** What a factory says about its exporter. */
export interface ExporterFlags {
  readonly notifying?: boolean
  readonly ordered?: boolean
  readonly local?: boolean
}

/** What every exporter takes besides its own keys. Defaults that depend on the exporter are in `deliverySettings`. */
export const exporterCommon: ConfigSchema = {
  properties: {
    timeout: duration('10s', 'How long one attempt to send may take; 0: no limit.'),
    condition: {
      type: 'string',
      format: 'condition',
      description: 'Sends only records for which this OTTL condition is true.',
      examples: ['attributes["alert"]["skip_webhook"] == false'],
    },
    sending_queue: queueSchema(),
    retry_on_failure: retrySchema(),
  },
  synonyms: { queue: 'sending_queue', retry: 'retry_on_failure', if: 'condition' },
}

/** What the schema cannot say about the common keys. */
export function checkCommon(
  config: CommonConfig,
  { notifying = false, ordered = false }: ExporterFlags = {},
): CheckProblem[] {
  const problems: CheckProblem[] = []
  const { sending_queue: queue = {}, retry_on_failure: retry = {} } = config
  const { batch } = queue
  if ((notifying || ordered) && (queue.num_consumers ?? 1) !== 1) {
    problems.push({
      path: ['sending_queue', 'num_consumers'],
      message: notifying
        ? 'this exporter notifies people: it has one consumer, so that notifications arrive in their order'
        : 'this exporter has one consumer, so that records arrive in their order',
      fix: 'remove num_consumers',
    })
  }
  if (notifying && batch) {
    problems.push({
      path: ['sending_queue', 'batch'],
      message: 'this exporter notifies people: it sends one record a request',
      fix: 'remove batch',
    })
  }
  if (batch?.max_size && batch.max_size < (batch.min_size ?? 0)) {
    problems.push({
      path: ['sending_queue', 'batch', 'max_size'],
      message: `max_size ${batch.max_size} is below min_size ${batch.min_size}`,
      fix: 'raise max_size, or 0 for no limit',
    })
  }
  for (const key of ['initial_interval', 'max_interval'] as const) {
    if (retry[key] === undefined || parseDuration(retry[key]) !== 0) continue
    problems.push({
      path: ['retry_on_failure', key],
      message: 'it must be above 0: without a wait a destination that is down would be asked without end',
      fix: '100ms',
    })
  }
  const initial = parseDuration(retry.initial_interval ?? '500ms')
  const highest = parseDuration(retry.max_interval ?? '30s')
  if (initial !== undefined && highest !== undefined && initial > highest) {
    problems.push({
      path: ['retry_on_failure', retry.max_interval === undefined ? 'initial_interval' : 'max_interval'],
      message: 'initial_interval is above max_interval',
    })
  }
  return problems
}

function queueSchema(): ConfigSchema {
  return {
    type: 'object',
    description: 'The queue between the pipeline and the destination, with the keys of the Collector.',
    additionalProperties: false,
    properties: {
      enabled: {
        type: 'boolean',
        description:
          'Without a queue the pipeline waits for each request: so do exporters that write locally.',
      },
      num_consumers: {
        type: 'integer',
        minimum: 1,
        maximum: 1_000,
        description: 'Requests at a time: 10 when not set, always 1 for exporters that notify people.',
      },
      queue_size: {
        type: 'integer',
        minimum: 1,
        default: 1_000,
        description: 'How much may wait, in units of `sizer`. A full queue stalls its pipelines.',
      },
      sizer: {
        enum: ['requests', 'items', 'bytes'],
        default: 'requests',
        description: 'What queue_size counts.',
      },
      storage: {
        type: 'string',
        component: 'extension',
        description: 'A storage extension: the queue survives a crash and a restart.',
      },
      block_on_overflow: {
        type: 'boolean',
        default: false,
        description:
          'When full, input waits instead of being answered "busy". Nothing is dropped either way.',
      },
      wait_for_result: {
        type: 'boolean',
        default: false,
        description: 'Acknowledges to the source after delivery, even though the queue is durable.',
      },
      batch: batchSchema(),
    },
    synonyms: { size: 'queue_size', consumers: 'num_consumers', max_size: 'queue_size' },
  }
}

function batchSchema(): ConfigSchema {
  return {
    type: 'object',
    description: 'Joins and cuts requests before sending.',
    additionalProperties: false,
    ignored: {
      sizer: 'min_size and max_size count records',
      partition: 'records carry no headers of the request that they came with',
    },
    properties: {
      flush_timeout: {
        type: 'string',
        format: 'duration',
        default: '200ms',
        description: 'Sends what there is after this time.',
      },
      min_size: {
        type: 'integer',
        minimum: 0,
        description: 'Records to wait for: 8192 when not set, but never more than max_size.',
      },
      max_size: {
        type: 'integer',
        minimum: 0,
        default: 0,
        description: 'Most records of a request; 0: any number.',
      },
    },
  }
}

function retrySchema(): ConfigSchema {
  return {
    type: 'object',
    description: 'Exponential back-off after a failure that may pass, with the keys of the Collector.',
    additionalProperties: false,
    properties: {
      enabled: {
        type: 'boolean',
        default: true,
        description: 'Without it a failed request is dead-lettered.',
      },
      initial_interval: duration('500ms', 'The first wait.'),
      multiplier: { type: 'number', minimum: 1, default: 2, description: 'How the wait grows.' },
      randomization_factor: { type: 'number', minimum: 0, maximum: 1, default: 0.5, description: 'Jitter.' },
      max_interval: duration('30s', 'The longest wait.'),
      max_elapsed_time: duration('5m', 'Gives a request up after this time (dead letter); 0: never.'),
    },
  }
}

function duration(value: string, description: string): ConfigSchema {
  return { type: 'string', format: 'duration', default: value, description }
}
