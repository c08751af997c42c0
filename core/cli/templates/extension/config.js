/** @type {import('tocsin/component').ConfigSchema} */
export const schema = {
  type: 'object',
  properties: {
    interval: {
      type: 'string',
      format: 'duration',
      default: '1m',
      description: 'How often the status is logged.',
    },
  },
  additionalProperties: false,
}
