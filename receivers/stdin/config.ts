import type { ConfigSchema } from 'tocsin/component'
import { type AddedFields, addedFieldsProperties } from 'tocsin/lines'

export interface StdinConfig extends AddedFields {
  readonly max_log_size: string | number
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
    ...addedFieldsProperties,
  },
}
