import type { CheckProblem } from 'tocsin/component'

/** `include` and `exclude` of the Collector's filter of before OTTL. */
export interface OldMatch {
  readonly match_type?: string
  readonly bodies?: readonly string[]
  readonly severity_texts?: readonly string[]
  readonly severity_number?: { readonly min?: unknown; readonly match_undefined?: boolean }
  readonly record_attributes?: readonly OldAttribute[]
  readonly resource_attributes?: readonly OldAttribute[]
}

interface OldAttribute {
  readonly key?: unknown
  readonly value?: unknown
}

/** The same in conditions, to paste: what `include` does not match is dropped, and what `exclude` matches. */
export function oldMatchProblem(include: OldMatch | undefined, exclude: OldMatch | undefined): CheckProblem {
  const conditions = [
    ...(include ? [`not (${matchCondition(include)})`] : []),
    ...(exclude ? [matchCondition(exclude)] : []),
  ]
  return {
    path: ['logs', include ? 'include' : 'exclude'],
    message: 'include and exclude are the form of before OTTL',
    fix: 'write in their place',
    paste: [
      'log_conditions:',
      ...conditions.map(condition => `  - '${condition.replaceAll("'", "''")}'`),
    ].join('\n'),
  }
}

function matchCondition(match: OldMatch): string {
  const isRegexp = match.match_type === 'regexp'
  const one = (path: string, value: unknown): string =>
    isRegexp && typeof value === 'string'
      ? `IsMatch(${path}, ${literal(value)})`
      : `${path} == ${literal(value)}`
  const attributes = (prefix: string, list: readonly OldAttribute[] = []): string[] =>
    list.map(({ key, value }) => {
      const path = `${prefix}[${literal(String(key))}]`
      return value === undefined || value === null ? `${path} != nil` : one(path, value)
    })
  const { min, match_undefined: undefinedToo } = match.severity_number ?? {}
  const least = typeof min === 'number' ? String(min) : `SEVERITY_NUMBER_${String(min).toUpperCase()}`
  const parts = [
    anyOf((match.bodies ?? []).map(text => one('body', text))),
    anyOf((match.severity_texts ?? []).map(text => one('severity_text', text))),
    min === undefined
      ? ''
      : undefinedToo
        ? `(severity_number >= ${least} or severity_number == 0)`
        : `severity_number >= ${least}`,
    ...attributes('attributes', match.record_attributes),
    ...attributes('resource.attributes', match.resource_attributes),
  ].filter(part => part !== '')
  return parts.length > 0 ? parts.join(' and ') : 'true'
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length > 1 ? `(${conditions.join(' or ')})` : (conditions[0] ?? '')
}

function literal(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
