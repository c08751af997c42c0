/** @type {import('tocsin/component').ConfigSchema} */
export const schema = {
  type: 'object',
  properties: {
    value: { type: 'string', default: 'seen', description: 'What the attribute is set to.' },
  },
  additionalProperties: false,
}
