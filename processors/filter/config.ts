import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import type { ErrorMode, OttlContext } from 'tocsin/ottl'
import { checkCondition } from 'tocsin/ottl'
import { type OldMatch, oldMatchProblem } from './old-match.js'

export interface FilterConfig {
  readonly error_mode: ErrorMode
  readonly log_conditions: readonly (string | ConditionGroup)[]
  readonly logs?: {
    readonly log_record?: readonly string[]
    readonly include?: OldMatch
    readonly exclude?: OldMatch
  }
}

export interface ConditionGroup {
  readonly context?: OttlContext
  readonly error_mode?: ErrorMode
  readonly conditions: readonly string[]
}

const condition: ConfigSchema = {
  type: 'string',
  examples: ['severity_number < SEVERITY_NUMBER_WARN'],
}

const errorMode: ConfigSchema = {
  enum: ['ignore', 'silent', 'propagate'],
  description: 'What happens when a condition cannot be told for a record.',
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    error_mode: { ...errorMode, default: 'propagate' },
    log_conditions: {
      type: 'array',
      default: [],
      description: 'A record for which any of these OTTL conditions is true is dropped.',
      items: {
        anyOf: [
          condition,
          {
            type: 'object',
            additionalProperties: false,
            required: ['conditions'],
            properties: {
              context: {
                enum: ['log', 'resource', 'scope'],
                default: 'log',
                description: 'Where paths without prefix start.',
              },
              error_mode: errorMode,
              conditions: {
                type: 'array',
                minItems: 1,
                items: { type: 'string' },
                description: 'OTTL conditions: a record for which one is true is dropped.',
              },
            },
          },
        ],
      },
    },
    logs: {
      type: 'object',
      additionalProperties: false,
      description: 'The older form of log_conditions.',
      properties: {
        log_record: {
          type: 'array',
          items: { ...condition, format: 'condition' },
          description: 'OTTL conditions: a record for which one is true is dropped.',
        },
        include: {
          type: 'object',
          additionalProperties: true,
          description: 'Of before OTTL: conditions say it.',
        },
        exclude: {
          type: 'object',
          additionalProperties: true,
          description: 'Of before OTTL: conditions say it.',
        },
      },
    },
  },
  ignored: {
    traces: 'there are only log records here',
    spans: 'there are only log records here',
    metrics: 'there are only log records here',
    profiles: 'there are only log records here',
    trace_conditions: 'there are only log records here',
    metric_conditions: 'there are only log records here',
    profile_conditions: 'there are only log records here',
  },
  synonyms: { conditions: 'log_conditions', condition: 'log_conditions', drop: 'log_conditions' },
}

export function check(config: FilterConfig): CheckProblem[] {
  const problems: CheckProblem[] = []
  const { include, exclude } = config.logs ?? {}
  if (include || exclude) return [oldMatchProblem(include, exclude)]
  if (config.log_conditions.length === 0 && (config.logs?.log_record?.length ?? 0) === 0) {
    problems.push({
      path: ['log_conditions'],
      message: 'there are no conditions, so nothing would be dropped',
      fix: "for example log_conditions: ['severity_number < SEVERITY_NUMBER_WARN']",
      severity: 'warning',
    })
  }
  config.log_conditions.forEach((entry, index) => {
    const path = ['log_conditions', index]
    if (typeof entry === 'string') problems.push(...problemsAt(path, entry))
    else {
      entry.conditions.forEach((text, at) => {
        problems.push(...problemsAt([...path, 'conditions', at], text, entry.context))
      })
    }
  })
  return problems
}

function problemsAt(path: CheckProblem['path'], text: string, context?: OttlContext): CheckProblem[] {
  const problem = checkCondition(text, context)
  return problem ? [{ path, ...problem }] : []
}
