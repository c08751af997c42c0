/** @type {import('tocsin/component').ConfigSchema} */
export const schema = {
  type: 'object',
  properties: {
    attribute: { type: 'string', minLength: 1, description: 'The attribute whose value is the key.' },
    window: {
      type: 'string',
      format: 'duration',
      default: '1m',
      description:
        'For so long after the first record of a key, by the time of the records, others are dropped.',
    },
    storage: {
      type: 'string',
      component: 'extension',
      description: 'The storage extension that keeps the state; without one it is lost with the process.',
    },
  },
  required: ['attribute'],
  additionalProperties: false,
}
