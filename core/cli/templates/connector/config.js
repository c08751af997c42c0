/** @type {import('tocsin/component').ConfigSchema} */
export const schema = {
  type: 'object',
  properties: {
    only_severity_from: {
      type: 'integer',
      default: 17,
      description: 'Records below this severity number are not handed on.',
    },
  },
  additionalProperties: false,
}
