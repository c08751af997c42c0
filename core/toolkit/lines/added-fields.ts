import type { ConfigSchema } from '../../component/schema.js'

/** What receivers of lines let their users add to each record. */
export interface AddedFields {
  readonly attributes: { readonly [key: string]: string }
  readonly resource: { readonly [key: string]: string }
}

/** The options `attributes` and `resource`, for a schema. */
export const addedFieldsProperties: { readonly [name in keyof AddedFields]: ConfigSchema } = {
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
}
