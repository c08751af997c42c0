import type { CheckProblem, ConfigSchema } from 'tocsin/component'
import type { ErrorMode, OttlContext } from 'tocsin/ottl'
import { checkCondition, checkStatement } from 'tocsin/ottl'

export interface TransformConfig {
  readonly error_mode: ErrorMode
  readonly log_statements: readonly (string | TransformGroup)[]
  readonly logs?: { readonly queries?: readonly string[]; readonly statements?: readonly string[] }
}

export interface TransformGroup {
  readonly context?: OttlContext
  readonly error_mode?: ErrorMode
  readonly conditions?: readonly string[]
  readonly statements: readonly string[]
}

const errorMode: ConfigSchema = {
  enum: ['ignore', 'silent', 'propagate'],
  description: 'What happens when a statement cannot be carried out for a record.',
}

const statement: ConfigSchema = {
  type: 'string',
  examples: ['set(attributes["team"], "shop") where HasPrefix(resource.attributes["service.name"], "shop-")'],
}

export const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  ignored: {
    trace_statements: 'there are only log records here',
    metric_statements: 'there are only log records here',
    profile_statements: 'there are only log records here',
    flatten_data: 'resources and scopes are changed for the record that a statement is about',
  },
  properties: {
    error_mode: { ...errorMode, default: 'ignore' },
    log_statements: {
      type: 'array',
      default: [],
      description: 'OTTL statements, or groups of them, in the order in which they run.',
      items: {
        anyOf: [
          statement,
          {
            type: 'object',
            additionalProperties: false,
            required: ['statements'],
            properties: {
              context: {
                enum: ['log', 'resource', 'scope'],
                description: 'By default the highest that has all paths of the group.',
              },
              error_mode: errorMode,
              conditions: {
                type: 'array',
                description: 'The group runs where any of these is true.',
                items: { type: 'string' },
              },
              statements: { type: 'array', minItems: 1, items: statement, description: 'OTTL statements.' },
            },
          },
        ],
      },
    },
    logs: {
      type: 'object',
      additionalProperties: false,
      description: 'The form of before 2023: log_statements is what it is now.',
      properties: {
        queries: { type: 'array', items: statement, description: 'As statements.' },
        statements: { type: 'array', items: statement, description: 'OTTL statements.' },
      },
    },
  },
  synonyms: { statements: 'log_statements' },
}

export function check(config: TransformConfig): CheckProblem[] {
  if (config.logs) return [oldForm(config.logs)]
  if (config.log_statements.length === 0) {
    const fix = 'add log_statements, or take it out of its pipelines'
    return [
      { path: [], message: 'there are no log_statements, so nothing changes', fix, severity: 'warning' },
    ]
  }
  return config.log_statements.flatMap((entry, index): CheckProblem[] => {
    if (typeof entry === 'string') {
      const problem = checkStatement(entry)
      return problem ? [{ path: ['log_statements', index], ...problem }] : []
    }
    const { context } = entry
    return [
      ...problemsOf(['log_statements', index, 'conditions'], entry.conditions ?? [], text =>
        checkCondition(text, context),
      ),
      ...problemsOf(['log_statements', index, 'statements'], entry.statements, text =>
        checkStatement(text, context),
      ),
    ]
  })
}

function oldForm(logs: NonNullable<TransformConfig['logs']>): CheckProblem {
  const statements = [...(logs.queries ?? []), ...(logs.statements ?? [])]
  return {
    path: ['logs'],
    message: 'logs is what log_statements were called before 2023',
    fix: 'write instead',
    paste: ['log_statements:', ...statements.map(text => `  - ${yamlText(text)}`)].join('\n'),
  }
}

function yamlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function problemsOf(
  path: CheckProblem['path'],
  texts: readonly string[],
  find: (text: string) => Omit<CheckProblem, 'path'> | undefined,
): CheckProblem[] {
  return texts.flatMap((text, index) => {
    const problem = find(text)
    return problem ? [{ path: [...path, index], ...problem }] : []
  })
}

/** The attributes that are set by name; undefined when a statement may add others. */
export function madeBy({ log_statements }: TransformConfig): readonly string[] | undefined {
  const names: string[] = []
  for (const statement of log_statements.flatMap(one => (typeof one === 'string' ? [one] : one.statements))) {
    const text = statement.trim()
    const [, quoted] =
      /^set\(\s*(?:(?:log|resource)\.)?(?:attributes)\[("(?:[^"\\]|\\.)*")\]/.exec(text) ?? []
    if (quoted !== undefined) names.push(JSON.parse(quoted) as string)
    else if (!ADDS_NOTHING.test(text)) return undefined
  }
  return names
}

const ADDS_NOTHING =
  /^(?:delete_|keep_|limit\(|truncate_all\(|replace_|stringify_all\(|set\(\s*(?:log\.)?(?:body|severity_\w+|time|time_unix_nano|observed_time\w*|trace_id|span_id|flags|event_name)\b)/
