/** @type {import('tocsin/component').ConfigSchema} */
export const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', minLength: 1, description: 'The file whose new lines are read.' },
    poll_interval: {
      type: 'string',
      format: 'duration',
      default: '1s',
      description: 'How often to look for new lines.',
    },
  },
  required: ['path'],
  additionalProperties: false,
}
