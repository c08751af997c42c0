/**
 * Hands on the records of at least a severity.
 *
 * @param {{ only_severity_from: number }} config
 * @returns {import('tocsin/component').Mapper}
 */
export function myConnector({ only_severity_from: least }) {
  return { process: records => records.filter(record => record.severityNumber >= least) }
}
