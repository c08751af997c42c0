import type { CheckProblem, ConfigSchema } from 'tocsin/component'

export interface BatchConfig {
  readonly send_batch_size: number
  readonly timeout: string
  readonly send_batch_max_size: number
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    send_batch_size: {
      type: 'integer',
      minimum: 0,
      maximum: 1_000_000,
      default: 8192,
      description: 'So many records are sent on at once; 0 sends on what comes in as it comes.',
    },
    timeout: {
      type: 'string',
      format: 'duration',
      default: '200ms',
      description: 'After this time records are sent on however few they are; 0 sends them on at once.',
    },
    send_batch_max_size: {
      type: 'integer',
      minimum: 0,
      default: 0,
      description: 'Larger batches are cut; 0 cuts none.',
    },
  },
  ignored: {
    metadata_keys:
      'records carry no headers of the request that they came with, so there is one batch for all',
    metadata_cardinality_limit: 'records carry no headers of the request that they came with',
  },
  synonyms: {
    size: 'send_batch_size',
    batch_size: 'send_batch_size',
    max_size: 'send_batch_max_size',
    interval: 'timeout',
  },
}

export function check({ send_batch_size, send_batch_max_size }: BatchConfig): readonly CheckProblem[] {
  return send_batch_max_size > 0 && send_batch_max_size < send_batch_size
    ? [
        {
          path: ['send_batch_max_size'],
          message: `send_batch_max_size (${send_batch_max_size}) is below send_batch_size (${send_batch_size})`,
          fix: `raise it to ${send_batch_size}, or lower send_batch_size`,
        },
      ]
    : []
}
