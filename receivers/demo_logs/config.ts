import { type CheckProblem, type ConfigSchema, parseDuration } from 'tocsin/component'

export interface DemoLogsConfig {
  readonly rate: number
  readonly interval: string
  readonly count?: number
  readonly seed?: number
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  synonyms: { records_per_second: 'rate', every: 'interval', limit: 'count', records: 'count' },
  properties: {
    rate: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 10_000,
      default: 4,
      description: 'Records a second in quiet times, on average.',
    },
    interval: {
      type: 'string',
      format: 'duration',
      default: '1m',
      description: 'Time between the beginnings of outages. The first comes after 5 s.',
    },
    count: {
      type: 'integer',
      minimum: 1,
      description: 'End this input after so many records. Without it, it never ends.',
    },
    seed: {
      type: 'integer',
      minimum: 0,
      description: 'Makes the sequence repeatable.',
    },
  },
}

/** An outage takes about this long; the next must not begin before it is over. */
export const MIN_INTERVAL_MS = 20_000

export function checkConfig(config: DemoLogsConfig): CheckProblem[] {
  const ms = parseDuration(config.interval)
  if (ms === undefined || ms >= MIN_INTERVAL_MS) return []
  const message = `${config.interval} is shorter than an outage`
  return [{ path: ['interval'], message, fix: 'give 20s or more' }]
}
