import { conditionOf, pathOf, splitPath } from './operator-expr.js'
import { layoutOf, ottlLayout } from './operator-layout.js'

export type Operator = { readonly [key: string]: unknown }

/** What an operator becomes. Texts are OTTL, but for `note`, which is for people. */
export type Step =
  | { readonly kind: 'statement'; readonly text: string }
  | { readonly kind: 'drop'; readonly condition: string }
  | { readonly kind: 'parser'; readonly lines: readonly string[] }
  /** Lines for the receiver itself. */
  | { readonly kind: 'receiver'; readonly lines: readonly string[] }
  | { readonly kind: 'note'; readonly text: string }

const statement = (text: string): Step => ({ kind: 'statement', text })
const note = (text: string): Step => ({ kind: 'note', text })

/** A value of YAML, with what `${...}` and `$$` mean in a configuration escaped. */
export function yaml(text: string): string {
  return `'${text.replaceAll("'", "''").replace(/\$(?=[${])/g, '$$$$')}'`
}

/** The steps of one operator. `where`: a condition of its route or its `if`, already in OTTL. */
export function stepsOf(operator: Operator, where: string | undefined): readonly Step[] {
  const type = String(operator.type ?? 'an operator without type')
  const make = Object.hasOwn(MAKERS, type) ? MAKERS[type] : undefined
  if (!make) return [note(`${type}: there is no counterpart`)]
  return make(new Reader(operator, where))
}

/** An operator with what all of them have. */
class Reader {
  constructor(
    readonly operator: Operator,
    readonly where: string | undefined,
  ) {}

  text(key: string): string | undefined {
    const value = this.operator[key]
    return value === undefined || value === null ? undefined : String(value)
  }

  path(key: string, fallback?: string): string {
    return pathOf(this.text(key) ?? fallback ?? '') ?? `attributes[${JSON.stringify(this.text(key) ?? key)}]`
  }

  object(key: string): Reader | undefined {
    const value = this.operator[key]
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? new Reader(value as Operator, this.where)
      : undefined
  }

  /** `text where condition`, with more conditions. */
  when(text: string, ...more: readonly string[]): Step {
    const all = [...(this.where ? [this.where] : []), ...more]
    const conditions = all.map(each => (all.length > 1 && / or /.test(each) ? `(${each})` : each))
    return statement(conditions.length > 0 ? `${text} where ${conditions.join(' and ')}` : text)
  }
}

/** What a function makes of a text, merged into attributes or put where `parse_to` says; then time and severity. */
function parsed(reader: Reader, call: (from: string) => string): Step[] {
  const from = reader.path('parse_from', 'body')
  const to = reader.path('parse_to', 'attributes')
  const made = call(from)
  const isMap = to === 'attributes' || to === 'resource.attributes'
  return [
    reader.when(isMap ? `merge_maps(${to}, ${made}, "upsert")` : `set(${to}, ${made})`, `IsString(${from})`),
    ...embedded(reader),
  ]
}

function embedded(reader: Reader): Step[] {
  const time = reader.object('timestamp')
  const severity = reader.object('severity')
  return [...(time ? timeSteps(time) : []), ...(severity ? severitySteps(severity) : [])]
}

/** A parser where nothing is conditional and everything goes to attributes; it reads the time with it. */
function parserOr(reader: Reader, first: string, call: (from: string) => string): Step[] {
  const from = reader.path('parse_from', 'body')
  const time = reader.object('timestamp')
  const layout = time && layoutOf(time.operator)
  const simple =
    reader.where === undefined &&
    reader.path('parse_to', 'attributes') === 'attributes' &&
    (!time || layout?.format)
  if (!simple) return parsed(reader, call)
  const lines = [first, ...(from === 'body' ? [] : [`parse_from: ${yaml(from)}`]), 'on_no_match: pass']
  if (time && layout?.format) lines.push(...timestampLines(time, layout.format))
  const severity = reader.object('severity')
  return [{ kind: 'parser', lines }, ...(severity ? severitySteps(severity) : [])]
}

function timestampLines(time: Reader, format: string): string[] {
  const zone = time.text('location')
  return [
    'timestamp:',
    `  from: ${yaml(time.path('parse_from'))}`,
    `  format: ${yaml(format)}`,
    ...(zone && zone !== 'UTC' ? [`  time_zone: ${yaml(zone)}`] : []),
  ]
}

function timeSteps(time: Reader): Step[] {
  const layout = layoutOf(time.operator)
  if (!layout?.format)
    return [
      note(
        `the layout ${String(time.operator.layout)} of ${String(time.operator.parse_from)}: give a strptime layout to timestamp.format of a parser`,
      ),
    ]
  if (time.where === undefined) return [{ kind: 'parser', lines: timestampLines(time, layout.format) }]
  const from = time.path('parse_from')
  const ottl = ottlLayout(layout.format)
  return [time.when(`set(time, Time(${from}, ${JSON.stringify(ottl)}))`, `${from} != nil`)]
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
const USUAL: { readonly [level: string]: readonly string[] } = {
  trace: ['trace'],
  debug: ['debug'],
  info: ['info'],
  warn: ['warn'],
  error: ['error'],
  fatal: ['fatal'],
}

function severitySteps(reader: Reader): Step[] {
  const from = reader.path('parse_from')
  const mapping = (reader.object('mapping')?.operator ?? {}) as Operator
  const base = reader.text('preset') === 'none' ? {} : USUAL
  return [
    reader.when(`set(severity_text, String(${from}))`, `${from} != nil`),
    ...LEVELS.flatMap(level => {
      const given = mapping[level]
      const values = [...(base[level] ?? []), ...(given === undefined ? [] : [given].flat())]
      const tests = levelTests(from, values)
      const number = `SEVERITY_NUMBER_${level.toUpperCase()}`
      return tests.length > 0 ? [reader.when(`set(severity_number, ${number})`, tests.join(' or '))] : []
    }),
  ]
}

function levelTests(from: string, values: readonly unknown[]): string[] {
  const words: string[] = []
  const tests: string[] = []
  for (const value of values) {
    const { min, max } = (typeof value === 'object' && value !== null ? value : {}) as {
      min?: unknown
      max?: unknown
    }
    const hundreds = /^([2-5])xx$/.exec(String(value))?.[1]
    if (typeof min === 'number' || typeof max === 'number') {
      tests.push(
        `(Int(${from}) >= ${Number(min ?? 0)} and Int(${from}) <= ${Number(max ?? Number.MAX_SAFE_INTEGER)})`,
      )
    } else if (hundreds) tests.push(`(Int(${from}) >= ${hundreds}00 and Int(${from}) <= ${hundreds}99)`)
    else if (typeof value !== 'object') words.push(String(value).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  }
  return [
    ...(words.length > 0 ? [`IsMatch(${from}, ${JSON.stringify(`(?i)^(?:${words.join('|')})$`)})`] : []),
    ...tests,
  ]
}

function removed(path: string): string {
  const place = splitPath(path)
  if (place) return `delete_key(${place.parent}, ${place.key})`
  return path === 'body' ? 'set(body, "")' : `keep_keys(${path}, [])`
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}: ${literal(item)}`)
      .join(', ')}}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : value === null ? 'nil' : String(value)
}

function added(reader: Reader): Step[] {
  const value = reader.operator.value
  const [, expression] = /^EXPR\((.*)\)$/s.exec(String(value)) ?? []
  if (expression === undefined) return [reader.when(`set(${reader.path('field')}, ${literal(value)})`)]
  const path = pathOf(expression)
  return path && /^\$?(?:body|attributes|resource)/.test(expression.trim())
    ? [reader.when(`set(${reader.path('field')}, ${path})`)]
    : [note(`add ${reader.path('field')}: ${expression} as an OTTL expression, in set(...)`)]
}

function retained(reader: Reader): Step[] {
  const fields = [reader.operator.fields].flat().map(field => pathOf(String(field)))
  return ['attributes', 'body', 'resource.attributes'].flatMap(parent => {
    const keys = fields.flatMap(path => {
      const place = path === undefined ? undefined : splitPath(path)
      return place?.parent === parent ? [place.key] : []
    })
    return keys.length > 0 ? [reader.when(`keep_keys(${parent}, [${keys.join(', ')}])`)] : []
  })
}

function recombined(reader: Reader): Step[] {
  const first = reader.text('is_first_entry')
  const expression = first ?? reader.text('is_last_entry') ?? ''
  const [, pattern] =
    /^IsMatch\(body(?:\["\w+"\])?, ("(?:[^"\\]|\\.)*")\)$/.exec(conditionOf(expression) ?? '') ?? []
  if (pattern === undefined || /body\[/.test(conditionOf(expression) ?? '')) {
    const how = expression.includes('logtag')
      ? 'container of this receiver reads lines of the CRI and joins those that were cut, in place of their parsing'
      : 'lines are joined by a pattern, with multiline of this receiver'
    return [note(`recombine by ${expression}: ${how}`)]
  }
  const key = first === undefined ? 'line_end_pattern' : 'line_start_pattern'
  return [{ kind: 'receiver', lines: ['multiline:', `  ${key}: ${yaml(JSON.parse(pattern))}`] }]
}

function container(reader: Reader): Step[] {
  const setting =
    reader.operator.add_metadata_from_filepath === false ? ' { add_metadata_from_filepath: false }' : ' {}'
  const only = reader.where
    ? [note(`container was only for ${reader.where}: it is for all files of the receiver`)]
    : []
  return [{ kind: 'receiver', lines: [`container:${setting}`] }, ...only]
}

function filtered(reader: Reader): Step[] {
  const expression = reader.text('expr') ?? ''
  const condition = conditionOf(expression)
  if (condition === undefined)
    return [note(`filter by ${expression}: as an OTTL condition, in log_conditions of a filter`)]
  return [{ kind: 'drop', condition: reader.where ? `${reader.where} and (${condition})` : condition }]
}

const MAKERS: { readonly [type: string]: (reader: Reader) => Step[] } = {
  json_parser: reader => parserOr(reader, 'json: {}', from => `ParseJSON(${from})`),
  regex_parser: reader =>
    parserOr(
      reader,
      `regex: ${yaml(reader.text('regex') ?? '')}`,
      from => `ExtractPatterns(${from}, ${JSON.stringify(reader.text('regex') ?? '')})`,
    ),
  key_value_parser: reader =>
    parsed(
      reader,
      from =>
        `ParseKeyValue(${from}, ${JSON.stringify(reader.text('delimiter') ?? '=')}, ${JSON.stringify(reader.text('pair_delimiter') ?? ' ')})`,
    ),
  csv_parser: reader =>
    parsed(
      reader,
      from =>
        `ParseCSV(${from}, ${JSON.stringify(reader.text('header') ?? '')}, ${JSON.stringify(reader.text('delimiter') ?? ',')})`,
    ),
  uri_parser: reader => parsed(reader, from => `URL(${from})`),
  syslog_parser: reader =>
    parsed(reader, from => {
      const line = reader.text('protocol') === 'rfc5424' ? '%{SYSLOG5424LINE}' : '%{SYSLOGLINE}'
      return `ExtractGrokPatterns(${from}, "${line}", true)`
    }),
  json_array_parser: reader => parsed(reader, from => `ParseJSON(${from})`),
  container,
  time_parser: timeSteps,
  severity_parser: severitySteps,
  trace_parser: reader =>
    (['trace_id', 'span_id'] as const).flatMap(key => {
      const part = reader.object(key)
      return part
        ? [part.when(`set(${key}.string, ${part.path('parse_from')})`, `${part.path('parse_from')} != nil`)]
        : []
    }),
  move: reader => {
    const [from, to] = [reader.path('from'), reader.path('to')]
    const place = splitPath(from)
    const set = reader.when(`set(${to}, ${from})`, `${from} != nil`)
    // What moved into the body from the body is gone with it.
    const gone = place && !(to === 'body' && from.startsWith('body[')) ? [reader.when(removed(from))] : []
    return [set, ...gone]
  },
  copy: reader => [reader.when(`set(${reader.path('to')}, ${reader.path('from')})`)],
  add: added,
  remove: reader => [reader.when(removed(reader.path('field')))],
  retain: retained,
  flatten: reader => {
    const path = reader.path('field')
    const place = splitPath(path)
    if (!place) return [reader.when(`flatten(${path})`)]
    return [
      reader.when(`merge_maps(${place.parent}, ${path}, "upsert")`, `IsMap(${path})`),
      reader.when(removed(path)),
    ]
  },
  recombine: recombined,
  filter: filtered,
  noop: () => [],
  unquote: () => [note('unquote: set(body, ParseJSON(body)) where the text is a JSON string')],
}
