import { type CheckProblem, parseDuration } from 'tocsin/component'
import { checkPath } from 'tocsin/ottl'
import { checkPattern } from 'tocsin/pattern'
import { isUrl, rowsOf, type StatefulAlertConfig } from './config.js'
import { isPath } from './hash-keys.js'
import type { RowProblem } from './rule.js'

/** What the schema cannot say; the rows of `patterns` are checked as those of a table. */
export function check(config: StatefulAlertConfig): readonly CheckProblem[] {
  return [
    ...checkSources(config),
    ...checkIgnoreCase(config),
    ...config.hash_keys.flatMap((name, at) => checkHashKey(name, at)),
    ...(['state_ttl', 'scan_interval'] as const).flatMap(key => checkPositive(key, config[key])),
    ...checkPatterns(config),
  ]
}

function checkSources({ lookup_table, patterns }: StatefulAlertConfig): CheckProblem[] {
  if (lookup_table && patterns) {
    return [
      {
        path: ['patterns'],
        message: 'lookup_table and patterns are both set',
        fix: 'keep one of them; a second processor can have the other',
      },
    ]
  }
  if (!lookup_table && !patterns) {
    return [
      {
        path: [],
        message: 'it has neither lookup_table nor patterns',
        fix: 'add lookup_table: {location: alerts.csv}, or patterns',
      },
    ]
  }
  if (lookup_table && isUrl(lookup_table.location) && !URL.canParse(lookup_table.location)) {
    return [
      {
        path: ['lookup_table', 'location'],
        message: 'it is no valid URL',
        fix: 'write https://HOST/PATH, or the path of a file',
      },
    ]
  }
  const period = lookup_table && parseDuration(lookup_table.reload_period)
  if (period !== undefined && period > 0 && period < 1000) {
    return [
      {
        path: ['lookup_table', 'reload_period'],
        message: 'it is less than 1s',
        fix: 'write 0 or at least 1s',
      },
    ]
  }
  return []
}

function checkIgnoreCase(config: StatefulAlertConfig): CheckProblem[] {
  if (!config.ignore_case || config.patterns) return []
  // A table may say otherwise, row by row; rows that do not are rejected.
  const rowsDecide = config.lookup_table?.columns?.match_mode !== undefined
  if (rowsDecide || (config.match_mode !== 'regex' && config.recovery_match_mode !== 'regex')) return []
  return [
    {
      path: ['ignore_case'],
      message: 'ignore_case does not apply to regular expressions',
      fix: 'start the patterns with (?i), or set another match_mode',
    },
  ]
}

function checkHashKey(name: string, at: number): CheckProblem[] {
  const problem = isPath(name) ? checkPath(name) : undefined
  if (!problem) return []
  return [
    {
      path: ['hash_keys', at],
      message: problem.message,
      ...(problem.fix !== undefined && { fix: problem.fix }),
    },
  ]
}

function checkPositive(key: string, value: string | number): CheckProblem[] {
  return parseDuration(value) === 0
    ? [{ path: [key], message: 'it is zero', fix: 'write 1m, 24h or 7d' }]
    : []
}

function checkPatterns(config: StatefulAlertConfig): CheckProblem[] {
  const { candidates, problems } = rowsOf(config)
  const refused = candidates.flatMap(candidate =>
    (['alert', 'recovery'] as const).flatMap((part): RowProblem[] => {
      const problem = candidate[part].text === '' ? undefined : checkPattern(candidate[part])
      return problem
        ? [{ severity: 'error', line: candidate.line, column: `${part}_pattern`, ...problem }]
        : []
    }),
  )
  return [...problems, ...refused].map(({ line, column, message, fix }) => ({
    path: ['patterns', line, ...(column ? [column] : [])],
    message,
    ...(fix !== undefined && { fix }),
  }))
}
