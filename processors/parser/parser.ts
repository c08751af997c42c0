import RE2 from 're2'
import {
  type AnyValue,
  type Attributes,
  type ComponentContext,
  compilePath,
  type LogRecord,
  type Mapper,
  newMap,
  toText,
} from 'tocsin/component'
import type { ParserConfig } from './config.js'
import { jsonFields, splitField } from './json-fields.js'
import { timestampReader } from './timestamp.js'
import { type Member, Together } from './together.js'

/** Parsers of one process that read the same batches. */
const TOGETHER = new Together()

type Reason =
  | 'regex_no_match'
  | 'invalid_json'
  | 'json_not_an_object'
  | 'json_too_deep'
  | 'source_missing'
  | 'timestamp_missing'
  | 'timestamp_invalid'

/**
 * First the regex, then JSON, over the same text; then the event time from what is there. What does not fit is
 * dropped or passed; a record whose time cannot be read stays, with the time it had: an alert is worth more.
 */
export function parser(context: ComponentContext<ParserConfig>): Mapper {
  const { config } = context
  const parse = compileParser(config)
  const readTime = config.timestamp && timestampReader(config.timestamp, context.clock)
  const noMatch = config.on_no_match === 'drop' ? 'dropped' : 'passed'
  const tally = counter(context)
  const { regex } = config
  const alone = !regex || noMatch === 'passed' || !isBody(config.parse_from)
  let member: Member | undefined
  return {
    async start() {
      member = alone ? undefined : TOGETHER.join(regex)
    },
    async stop() {
      member?.leave()
      member = undefined
    },
    ...(!alone && {
      screen: {
        group: TOGETHER,
        member: () => member && regex,
        dropped: ({ length }) => {
          tally.add(noMatch, 'regex_no_match', length)
          tally.flush()
        },
      },
    }),
    process(records) {
      const out: LogRecord[] = []
      const matching = member?.matching(records)
      const candidates = matching ? matching.map(at => records[at] as LogRecord) : records
      if (candidates.length < records.length)
        tally.add(noMatch, 'regex_no_match', records.length - candidates.length)
      for (const record of candidates) {
        const found = parse(record)
        if (typeof found === 'string') {
          tally.add(noMatch, found)
          if (noMatch === 'passed') out.push(record)
          continue
        }
        const parsed = found === undefined ? record : withAttributes(record, found)
        const time = readTime?.(parsed)
        tally.add('parsed', typeof time === 'string' ? time : 'ok')
        out.push(typeof time === 'bigint' ? parsed.patch({ timestamp: time }) : parsed)
      }
      tally.flush()
      return out
    },
  }
}

/** The attributes that a record gets, undefined for none, or the reason why it does not match. */
type Parse = (record: LogRecord) => Attributes | undefined | Reason

function compileParser(config: ParserConfig): Parse {
  const source = sourceReader(config.parse_from)
  const matchText = config.regex ? matcher(config.regex) : undefined
  const paths = config.json?.fields?.map(splitField) ?? []
  return record => {
    let found: Attributes | undefined
    if (matchText) {
      const bytes = source.bytes(record)
      if (!bytes) return 'source_missing'
      const groups = matchText(bytes)
      if (groups === null) return 'regex_no_match'
      found = groups
    }
    if (!config.json) return found
    const value = source.value(record)
    if (value === undefined || value === null) return 'source_missing'
    const fields = jsonFields(value, paths)
    if (typeof fields === 'string') return fields
    return found ? merge(found, fields) : fields
  }
}

/** The groups that took part, by name; undefined when the expression has none; null without a match. */
function matcher(regex: string): (bytes: Buffer) => Attributes | undefined | null {
  const re2 = new RE2(regex, 'u')
  // A test is much cheaper than a match; an expression may name a group only where it says (?<.
  if (!/\(\?P?</.test(regex)) return bytes => (re2.test(bytes) ? undefined : null)
  return bytes => {
    const match = re2.exec(bytes)
    if (!match) return null
    const groups: { readonly [name: string]: Buffer | undefined } | undefined = match.groups
    if (!groups) return undefined
    const found = newMap()
    for (const name of Object.keys(groups)) {
      const text = groups[name]
      if (text !== undefined) found[name] = text.toString('utf8')
    }
    return found
  }
}

interface Source {
  bytes(record: LogRecord): Buffer | undefined
  value(record: LogRecord): AnyValue | undefined
}

function isBody(path: string): boolean {
  return path.trim() === 'body'
}

function sourceReader(parseFrom: string): Source {
  const path = compilePath(parseFrom)
  if (isBody(parseFrom)) {
    return { bytes: record => asBuffer(record.bodyBytes()), value: record => record.body }
  }
  return {
    bytes: record => {
      const value = path.get(record)
      return value === undefined || value === null ? undefined : Buffer.from(toText(value))
    },
    value: path.get,
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function withAttributes(record: LogRecord, found: Attributes): LogRecord {
  return record.patch({ attributes: merge(record.attributes, found) })
}

function merge(a: Attributes, b: Attributes): Attributes {
  const merged = newMap()
  for (const key of Object.keys(a)) merged[key] = a[key] as AnyValue
  for (const key of Object.keys(b)) merged[key] = b[key] as AnyValue
  return merged
}

/** Counts by result and reason, and tells the meter once a batch. */
function counter({ id, pipeline = '', meter }: ComponentContext<ParserConfig>) {
  const records = meter.createCounter('tocsin_parser_log_records', {
    description: 'Records that a parser saw, by what became of them and why.',
  })
  const counts = new Map<string, { readonly labels: object; count: number }>()
  return {
    add(result: 'parsed' | 'dropped' | 'passed', reason: Reason | 'ok', times = 1): void {
      const key = `${result} ${reason}`
      const known = counts.get(key)
      if (known) known.count += times
      else
        counts.set(key, { labels: Object.freeze({ processor: id, pipeline, result, reason }), count: times })
    },
    flush(): void {
      for (const one of counts.values()) {
        if (one.count > 0) records.add(one.count, one.labels as { [label: string]: string })
        one.count = 0
      }
    },
  }
}
