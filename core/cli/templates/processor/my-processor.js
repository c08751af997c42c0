/**
 * Sets an attribute on every record.
 *
 * @param {{ value: string }} config
 * @returns {import('tocsin/component').Mapper}
 */
export function myProcessor({ value }) {
  return {
    process: records => records.map(record => record.with('attributes["my_processor"]', value)),
  }
}
