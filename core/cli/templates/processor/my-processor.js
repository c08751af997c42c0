/**
 * Sets an attribute on every record.
 *
 * @param {import('tocsin/component').ComponentContext<{ value: string }>} context
 * @returns {import('tocsin/component').Mapper}
 */
export function myProcessor({ config: { value } }) {
  return {
    process: records => records.map(record => record.with('attributes["my_processor"]', value)),
  }
}
