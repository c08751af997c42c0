import type { ConfigSchema } from 'tocsin/component'

export interface StdinConfig {
  readonly max_log_size: string | number
  readonly attributes: { readonly [key: string]: string }
  readonly resource: { readonly [key: string]: string }
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  synonyms: { max_line_size: 'max_log_size' },
  properties: {
    max_log_size: {
      type: ['string', 'integer'],
      format: 'byte-size',
      default: '1MiB',
      description: 'A longer line is split into records of at most this size.',
    },
    attributes: {
      type: 'object',
      additionalProperties: { type: 'string' },
      default: {},
      description: 'Attributes to add to each record.',
    },
    resource: {
      type: 'object',
      additionalProperties: { type: 'string' },
      default: {},
      description: 'Resource attributes of each record.',
      examples: [{ 'service.name': 'shop' }],
    },
  },
}
