import type { CheckProblem } from 'tocsin/component'
import { fieldNames, isWord, type LogsQl, scanLogsQl, type Token } from './logsql.js'

const NOT_TAILED = new Set(
  (
    'stats stats_remote running_stats total_stats query_stats block_stats blocks_count facets field_names field_values ' +
    'sort order top uniq limit head offset skip first last union stream_context generate_sequence deduplicate cluster logmine'
  ).split(' '),
)
/** What counts though the word `stats` is left out: a pipe that begins with one of these and a parenthesis. */
const STATS_FUNCTIONS = new Set(
  (
    'any avg count count_empty count_uniq count_uniq_hash field_max field_min histogram json_values max median min ' +
    'quantile rate rate_sum row_any row_max row_min stddev sum sum_len uniq_values values'
  ).split(' '),
)
const KEEPS = ['fields', 'keep']
const DROPS = ['delete', 'del', 'rm', 'drop']
const RENAMES = ['rename', 'mv']
const COPIES = ['copy', 'cp']
const MATHS = ['math', 'eval']
const FILTERS = ['filter', 'where']
const UNPACKS = ['unpack_json', 'unpack_logfmt', 'unpack_syslog']
const EXTRACTS = ['extract', 'extract_regexp']
/** Pipes whose result is never a time: numbers, JSON, pieces of text. */
const NO_TIMES = [
  ...MATHS,
  ...[
    'len',
    'hash',
    'json_array_len',
    'pack_json',
    'pack_logfmt',
    'collapse_nums',
    'split',
    'unpack_words',
    'unroll',
  ],
]
/** Pipes that write a field which may be a time. */
const MAY_BE_TIMES = [...EXTRACTS, ...UNPACKS, 'format', 'replace', 'replace_regexp', 'coalesce', 'time_add']
/** A parenthesis after one of these holds a query of its own or values, no filters of this query. */
const SUBQUERIES = [
  'in',
  'contains_all',
  'contains_any',
  'contains_common_case',
  'equals_common_case',
  'join',
  'if',
]
const TIME = '_time'

/** What a query can be followed by; reasons are for people. */
export interface QueryJudgement {
  /** The server refuses to tail it, or breaks its answers off: why, and what to do. */
  readonly refused: readonly QueryFault[]
  /** A line may look different at each reading, or stand at another time: repeats cannot be known. */
  readonly unrepeatable: readonly QueryFault[]
  readonly warnings: readonly QueryFault[]
}

interface QueryFault {
  readonly message: string
  readonly fix: string
}

/** Judges a LogsQL query by what VictoriaLogs 1.26 to 1.54 do with it on `/tail` and on `/query`. */
export function judgeQuery(query: string): QueryJudgement {
  const { filter, pipes } = scanLogsQl(query)
  const time = followTime(pipes)
  return {
    refused: [...filterFaults(filter), ...pipes.flatMap(notTailed), ...time.refused],
    unrepeatable: [...pipes.flatMap(changing), ...time.unrepeatable],
    warnings: timeFilters({ filter, pipes }),
  }
}

/** The judgement as problems of the configuration key `query`. */
export function checkQuery(query: string): CheckProblem[] {
  const path = ['query']
  if (scanLogsQl(query).filter.length === 0) {
    return [{ path, message: 'the query is empty', fix: 'use * for all lines' }]
  }
  const { refused, unrepeatable, warnings } = judgeQuery(query)
  return [
    ...refused.map(fault => ({ path, ...fault })),
    ...[...unrepeatable, ...warnings].map(fault => ({ severity: 'warning' as const, path, ...fault })),
  ]
}

function notTailed(pipe: readonly Token[]): QueryFault[] {
  const name =
    statsWithoutTheWord(pipe) ?? (isWord(pipe[0], ...NOT_TAILED) ? pipe[0]?.text.toLowerCase() : undefined)
  if (name === undefined) return []
  return [
    {
      message: `VictoriaLogs cannot tail a query with the pipe "${name}"`,
      fix: 'tail the lines that matter and count, sort or limit them in a processor',
    },
  ]
}

/** `count()`, `by (x) count()` and `(x) count()` are statistics; `(a or b)` and a field of that name are a filter. */
function statsWithoutTheWord(pipe: readonly Token[]): string | undefined {
  const at = isWord(pipe[0], 'by') ? 1 : 0
  const opens = isWord(pipe[at], '(')
  const start = opens
    ? pipe.findIndex((token, index) => index > at && token.depth === 0 && isWord(token, ')')) + 1
    : at
  const [name, parenthesis] = pipe.slice(start)
  if (name && isWord(parenthesis, '(') && isWord(name, ...STATS_FUNCTIONS)) {
    return [...(opens ? ['by (...)'] : []), `${name.text.toLowerCase()}(...)`].join(' ')
  }
  return at === 1 && opens ? 'by (...)' : undefined
}

/** Options of the query that take from it what a following needs. */
function filterFaults(filter: readonly Token[]): QueryFault[] {
  if (!isWord(filter[0], 'options') || !isWord(filter[1], '(')) return []
  const on = (option: string) =>
    filter.some(
      (token, at) => token.depth === 1 && isWord(token, option) && isWord(filter[at + 2], 'true', '1', 't'),
    )
  const faults: QueryFault[] = []
  if (on('ignore_global_time_filter')) {
    faults.push({
      message:
        'with options(ignore_global_time_filter=true) each reading would bring every line that is stored',
      fix: 'leave the option out, or put it into the subquery that needs it',
    })
  }
  if (on('allow_partial_response')) {
    faults.push({
      message: 'with options(allow_partial_response=true) a cluster leaves lines out without a word',
      fix: 'leave the option out: what a storage node that is down has is read when it is back',
    })
  }
  return faults
}

function changing(pipe: readonly Token[]): QueryFault[] {
  const fix = 'repeats cannot be known, so reconcile is off: lines that the tail skips are missed'
  const call = (name: string) => pipe.some((token, at) => isWord(token, name) && isWord(pipe[at + 1], '('))
  if (isWord(pipe[0], ...MATHS)) {
    return ['now', 'rand'].filter(call).map(name => ({
      message: `${name}() of the pipe "math" gives a line another value at each reading`,
      fix,
    }))
  }
  if (isWord(pipe[0], 'sample'))
    return [{ message: 'the pipe "sample" picks other lines at each reading', fix }]
  if (isWord(pipe[0], 'join')) {
    return [{ message: 'the pipe "join" joins what lies in the time of each reading, so lines differ', fix }]
  }
  return []
}

/** Where the time of a line goes from pipe to pipe. Without it the tail breaks off at the first match. */
function followTime(pipes: readonly (readonly Token[])[]): Pick<QueryJudgement, 'refused' | 'unrepeatable'> {
  // The fields that hold the stored time; and when `_time` is none of them, what became of it in which pipe.
  const holders = new Set([TIME])
  let instead: { readonly pipe: string; readonly is: 'gone' | 'no_time' | 'another' } | undefined
  const lose = (name: string, pipe: string): void => {
    holders.delete(name)
    if (name === TIME && instead?.is !== 'gone') instead = { pipe, is: 'gone' }
  }
  for (const [first, ...rest] of pipes) {
    if (first === undefined || first.quoted) continue
    const pipe = first.text.toLowerCase()
    if (KEEPS.includes(pipe) || DROPS.includes(pipe)) {
      const named = fieldNames(rest)
      for (const name of [...holders, TIME]) {
        if (named.some(pattern => covers(pattern, name)) !== KEEPS.includes(pipe)) lose(name, pipe)
      }
    } else if (RENAMES.includes(pipe) || COPIES.includes(pipe)) {
      for (const [from, to] of pairs(rest)) {
        const moved = [...holders].filter(name => covers(from, name))
        if (RENAMES.includes(pipe))
          for (const name of [...moved, ...(covers(from, TIME) ? [TIME] : [])]) lose(name, pipe)
        if (to === TIME) {
          holders.delete(TIME)
          instead = { pipe, is: 'another' }
        }
        for (const name of moved) {
          holders.add(to.endsWith('*') ? to.slice(0, -1) + name.slice(from.length - 1) : to)
        }
      }
    } else if ((NO_TIMES.includes(pipe) || MAY_BE_TIMES.includes(pipe)) && writesTime(pipe, rest)) {
      holders.delete(TIME)
      instead = { pipe, is: NO_TIMES.includes(pipe) ? 'no_time' : 'another' }
    }
  }
  if (instead === undefined || holders.has(TIME)) return { refused: [], unrepeatable: [] }
  const { pipe, is } = instead
  if (is === 'another') {
    const message = `the pipe "${pipe}" writes _time: readings go by the stored time, and a line without a time breaks the tail off`
    const fix = 'give its result another name; as it is, repeats cannot be known and reconcile is off'
    return { refused: [], unrepeatable: [{ message, fix }] }
  }
  const refused = {
    message:
      is === 'gone'
        ? `the pipe "${pipe}" leaves _time out, without which VictoriaLogs breaks the tail off`
        : `the pipe "${pipe}" writes into _time what is no time, and VictoriaLogs breaks the tail off`,
    fix: KEEPS.includes(pipe)
      ? 'add _time to its fields'
      : is === 'gone'
        ? 'keep _time; use copy for a second name'
        : 'give its result another name',
  }
  return { refused: [refused], unrepeatable: [] }
}

/** `a as b, c d`: from and to. */
function pairs(tokens: readonly Token[]): [string, string][] {
  const found: [string, string][] = []
  for (let start = 0; start < tokens.length; ) {
    const comma = tokens.findIndex((token, at) => at >= start && isWord(token, ','))
    const end = comma === -1 ? tokens.length : comma
    const [from, to] = fieldNames(tokens.slice(start, end).filter(token => !isWord(token, 'as')))
    if (from !== undefined && to !== undefined) found.push([from, to])
    start = end + 1
  }
  return found
}

/** Whether a pipe that computes something puts it into `_time`. */
function writesTime(pipe: string, tokens: readonly Token[]): boolean {
  if (pipe === 'time_add') return !tokens.some(token => isWord(token, 'at')) || at(tokens, 'at')
  if (EXTRACTS.includes(pipe) && tokens.some(token => token.quoted && /<(?:\w+:)?_time>/.test(token.text)))
    return true
  if (pipe === 'unroll') return tokens.some(token => token.text === TIME)
  if (UNPACKS.includes(pipe)) return at(tokens, '(', 1)
  return tokens.some((token, index) => {
    const before = tokens[index - 1]
    if (token.text !== TIME || token.depth > 0 || before === undefined) return false
    if (isWord(before, 'as', 'at', ')') || (before.quoted && pipe !== 'extract')) return true
    const last = index === tokens.length - 1 || isWord(tokens[index + 1], ',')
    return MATHS.includes(pipe) && last && /^[\p{L}\p{Nd}_]+$/u.test(before.text)
  })
}

function at(tokens: readonly Token[], word: string, depth = 0): boolean {
  return tokens.some(
    (token, index) =>
      token.text === TIME &&
      token.depth === depth &&
      isWord(tokens[index - 1], word, ...(depth ? [','] : [])),
  )
}

function covers(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}

/** A `_time` filter holds for the readings of the past too, so late lines stay hidden. */
function timeFilters({ filter, pipes }: LogsQl): QueryFault[] {
  const filters = [filter, ...pipes.filter(isFilterPipe)]
  if (!filters.some(tokens => hidesLate(tokens))) return []
  return [
    {
      message:
        'the query has a _time filter, which hides late lines and those of a gap from the readings of the past',
      fix: 'leave it out: readings have a start and an end of their own',
    },
  ]
}

function isFilterPipe([first, second]: readonly Token[]): boolean {
  return isWord(first, ...FILTERS, '(', '!', '-', 'not') || (first?.text === TIME && isWord(second, ':'))
}

function hidesLate(tokens: readonly Token[]): boolean {
  let skipped: number | undefined
  for (const [index, token] of tokens.entries()) {
    if (skipped !== undefined && isWord(token, ')') && token.depth === skipped) skipped = undefined
    if (skipped !== undefined) continue
    if (isWord(token, '(') && isWord(tokens[index - 1], ...SUBQUERIES)) skipped = token.depth
    if (token.text !== TIME || !isWord(tokens[index + 1], ':')) continue
    const [value, next, year] = tokens.slice(index + 2)
    const sameTimeEachDay = isWord(value, 'day_range', 'week_range')
    const from = isWord(value, '>') && /^\d{4}$/.test((isWord(next, '=') ? year : next)?.text ?? '')
    if (!sameTimeEachDay && !from) return true
  }
  return false
}
