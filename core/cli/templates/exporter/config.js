/** @type {import('tocsin/component').ConfigSchema} */
export const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', minLength: 1, description: 'The file that bodies are appended to.' },
  },
  required: ['path'],
  additionalProperties: false,
}
