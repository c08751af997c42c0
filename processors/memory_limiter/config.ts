import { type CheckProblem, type ConfigSchema, parseDuration } from 'tocsin/component'

export interface MemoryLimiterConfig {
  readonly check_interval: string
  readonly limit_mib?: number
  readonly spike_limit_mib?: number
  readonly limit_percentage?: number
  readonly spike_limit_percentage?: number
}

export const memoryLimiterSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    check_interval: {
      type: 'string',
      format: 'duration',
      default: '1s',
      description: 'How often the memory is looked at.',
    },
    limit_mib: {
      type: 'integer',
      minimum: 1,
      description: 'The hard limit, in MiB of heap and buffers. Wins over limit_percentage.',
    },
    spike_limit_mib: {
      type: 'integer',
      minimum: 0,
      description:
        'How much may come between two looks. Above limit - spike limit (the soft limit) input is refused: a fifth of the limit when not set.',
    },
    limit_percentage: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      description:
        'The hard limit as a share of the memory that the container or the machine has: 80 when no limit is set.',
    },
    spike_limit_percentage: {
      type: 'integer',
      minimum: 0,
      maximum: 99,
      description: 'The spike limit as a share of the same memory.',
    },
  },
  synonyms: { limit: 'limit_mib', spike_limit: 'spike_limit_mib', interval: 'check_interval' },
}

export function checkMemoryLimiter(config: MemoryLimiterConfig): CheckProblem[] {
  const { limit_mib, spike_limit_mib, limit_percentage, spike_limit_percentage } = config
  const problems: CheckProblem[] = []
  if (parseDuration(config.check_interval) === 0) {
    problems.push({ path: ['check_interval'], message: 'it must be above 0', fix: '1s' })
  }
  if (spike_limit_mib !== undefined && limit_mib === undefined) {
    problems.push({
      path: ['spike_limit_mib'],
      message: 'there is a spike_limit_mib without a limit_mib',
      fix: 'spike_limit_percentage goes with limit_percentage',
    })
  }
  if (spike_limit_percentage !== undefined && limit_mib !== undefined) {
    problems.push({
      severity: 'warning',
      path: ['spike_limit_percentage'],
      message: 'limit_mib wins: this has no effect',
      fix: 'spike_limit_mib',
    })
  }
  if (limit_mib !== undefined && spike_limit_mib !== undefined && spike_limit_mib >= limit_mib) {
    problems.push({ path: ['spike_limit_mib'], message: `it must be below limit_mib (${limit_mib})` })
  }
  const share = limit_percentage ?? DEFAULT_PERCENTAGE
  if (limit_mib === undefined && spike_limit_percentage !== undefined && spike_limit_percentage >= share) {
    problems.push({
      path: ['spike_limit_percentage'],
      message: `it must be below limit_percentage (${share})`,
    })
  }
  return problems
}

export const DEFAULT_PERCENTAGE = 80
