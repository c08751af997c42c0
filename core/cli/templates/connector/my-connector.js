/**
 * Hands on the records of at least a severity.
 *
 * @param {import('tocsin/component').ComponentContext<{ only_severity_from: number }>} context
 * @returns {import('tocsin/component').Mapper}
 */
export function myConnector({ config: { only_severity_from: least } }) {
  return { process: records => records.filter(record => record.severityNumber >= least) }
}
