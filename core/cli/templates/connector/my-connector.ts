import type { ComponentContext, Mapper } from 'tocsin/component'

interface Config {
  readonly only_severity_from: number
}

/** Hands on the records of at least a severity. */
export function myConnector({ config: { only_severity_from: least } }: ComponentContext<Config>): Mapper {
  return { process: records => records.filter(record => record.severityNumber >= least) }
}
