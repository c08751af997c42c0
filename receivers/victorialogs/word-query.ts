import { type Proof, provePhrase } from './phrase.js'

/**
 * A query of which this collector says itself whether a line is one of its lines: words and phrases of named fields with
 * and, or, not and parentheses, behind at most one stream filter. Several such queries can share one tail.
 */
export interface WordQuery {
  /** What must hold besides, as it was written: queries share a tail when this is equal. Empty: nothing. */
  readonly stream: string
  /** The words and phrases in LogsQL. */
  readonly text: string
  /** The fields that are looked at. */
  readonly fields: readonly string[]
  /** Of a line that the stream filter lets through. Undefined: only the server can say. */
  readonly proves: (fields: { readonly [name: string]: unknown }) => Proof
}

/** Why a query is none. */
export type NotWords =
  | 'pipe'
  | 'not_ascii'
  | 'every_line'
  | 'stream_inside'
  | 'keyword'
  | 'number_like'
  | 'other_filter'

type Filter =
  | { readonly is: 'phrase'; readonly field: string; readonly phrase: string }
  | { readonly is: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly is: 'not'; readonly part: Filter }

const MESSAGE = '_msg'
const STREAM = /^\s*((?:_stream:)?\{(?:[^"'`{}|#]|"[^"\\]*"|'[^'\\]*'|`[^`]*`)*\})(?=[\s]|$)/
const TOKEN = /(\s*)(?:"([^"\\]*)"|'([^'\\]*)'|`([^`]*)`|([A-Za-z0-9_.]+)|([\s\S]))/y
const FIELD = /^(?:_msg|[A-Za-z][\w.@-]*)$/
/**
 * Where all values of a field are numbers, addresses or times, VictoriaLogs compares values instead of words. None of them has
 * two letters side by side but for these.
 */
const TWO_LETTERS = /[A-Za-z]{2}/
const NUMBER_IN_LETTERS = /^[-+]?(?:0x|inf|nan)/i
/** Words that mean something else in some version when they stand without quotes. */
const KEYWORDS = new Set(
  (
    'and or not now offset options i in re eq seq exact range by if as contains_all contains_any contains_common_case ' +
    'equals_common_case eq_field le_field lt_field ipv4_range ipv6_range len_range string_range value_type pattern_match ' +
    'pattern_match_full pattern_match_prefix pattern_match_suffix json_array_contains_any day_range week_range ' +
    'block_stats blocks_count cluster coalesce collapse_nums copy cp decolorize deduplicate delete del rm drop drop_empty_fields ' +
    'extract extract_regexp facets field_names field_values fields keep filter where first format generate_sequence hash join ' +
    'json_array_len last len limit head logmine math eval skip pack_json pack_logfmt query_stats rename mv replace ' +
    'replace_regexp running_stats sample set_stream_fields sort order split stats stats_remote stream_context time_add top ' +
    'total_stats union uniq unpack_json unpack_logfmt unpack_syslog unpack_words unroll'
  ).split(' '),
)

/** Reads a query; what is not surely read as every version of VictoriaLogs does is refused with the reason. */
export function readWordQuery(query: string): WordQuery | NotWords {
  if (!/^[\t\n\r\x20-\x7e]*$/.test(query)) return 'not_ascii'
  const given = STREAM.exec(query)
  const reader = new Reader(query.slice(given?.[0].length ?? 0))
  try {
    if (reader.ended()) return 'every_line'
    const filter = reader.or()
    if (!reader.ended()) return reader.next?.char === '|' ? 'pipe' : 'other_filter'
    // `{..} a or b` is `({..} a) or b`.
    if (given && filter.is === 'or' && !reader.wholeInParentheses) return 'stream_inside'
    const fields = new Set<string>()
    const proves = prover(filter, fields)
    return { stream: given?.[1] ?? '', text: written(filter), fields: [...fields], proves }
  } catch (error) {
    if (error instanceof Refusal) return error.reason
    throw error
  }
}

/** One query for all: LogsQL whose lines are those of the queries together. They have the same stream filter. */
export function anyOf(queries: readonly WordQuery[]): string {
  const [first, ...others] = queries
  if (!first) return ''
  const any = others.length === 0 ? first.text : queries.map(({ text }) => `(${text})`).join(' or ')
  return first.stream === '' ? any : `${first.stream} (${any})`
}

class Refusal extends Error {
  constructor(readonly reason: NotWords) {
    super(reason)
  }
}

interface Token {
  readonly spaced: boolean
  readonly quoted: string | undefined
  readonly word: string | undefined
  /** A single character that is neither. */
  readonly char: string | undefined
}

/** A parser of the few filters that are taken. Throws `Refusal` for all else. */
class Reader {
  readonly #tokens: readonly Token[]
  #at = 0
  /** Nothing stands beside the outermost parentheses. */
  wholeInParentheses = false

  constructor(text: string) {
    this.#tokens = [...text.trimEnd().matchAll(new RegExp(TOKEN, 'g'))].map(
      ([, space, double, single, back, word, char]) => ({
        spaced: space !== '',
        quoted: double ?? single ?? back,
        word,
        char,
      }),
    )
  }

  get next(): Token | undefined {
    return this.#tokens[this.#at]
  }

  ended(): boolean {
    return this.#at >= this.#tokens.length
  }

  or(): Filter {
    const outermost = this.#at === 0
    const parts = [this.#and()]
    while (this.#keyword('or')) parts.push(this.#and())
    if (outermost) this.wholeInParentheses &&= parts.length === 1
    return together('or', parts)
  }

  #and(): Filter {
    const parts = [this.#one()]
    for (;;) {
      const { next } = this
      if (!next || next.char === ')' || next.char === '|' || next.word?.toLowerCase() === 'or') break
      if (!next.spaced) throw new Refusal('other_filter')
      this.#keyword('and')
      parts.push(this.#one())
    }
    return together('and', parts)
  }

  #one(): Filter {
    const { next } = this
    if (!next) throw new Refusal('other_filter')
    if (next.char === '|') throw new Refusal('pipe')
    if (next.char === '!' || next.char === '-' || next.word?.toLowerCase() === 'not') {
      this.#at++
      return { is: 'not', part: this.#one() }
    }
    if (next.char === '{' || (next.word === '_stream' && this.#tokens[this.#at + 1]?.char === ':')) {
      throw new Refusal('stream_inside')
    }
    if (next.char === '*' && this.#tokens.length === 1) throw new Refusal('every_line')
    if (next.char !== '(') return this.#phrase()
    const first = this.#at === 0
    const before = this.#tokens[this.#at - 1]
    if (before && !next.spaced && !['(', '!', '-'].includes(before.char ?? ''))
      throw new Refusal('other_filter')
    this.#at++
    const inner = this.or()
    if (this.next?.char !== ')') throw new Refusal(this.next?.char === '|' ? 'pipe' : 'other_filter')
    this.#at++
    if (first) this.wholeInParentheses = this.ended()
    return inner
  }

  #phrase(): Filter {
    const name = this.#text()
    if (this.next?.char !== ':') return phrase(MESSAGE, name)
    if (this.next.spaced || !FIELD.test(name)) throw new Refusal('other_filter')
    this.#at++
    if (this.next?.spaced) throw new Refusal('other_filter')
    return phrase(name, this.#text())
  }

  #text(): string {
    const { quoted, word } = this.next ?? {}
    if (word !== undefined && KEYWORDS.has(word.toLowerCase())) throw new Refusal('keyword')
    const text = quoted ?? word
    if (text === undefined) throw new Refusal('other_filter')
    this.#at++
    const after = this.next
    // What stands beside it without a space belongs to it, or makes a prefix or a function of it.
    if (after && !after.spaced && after.char !== ')' && after.char !== ':' && after.char !== '|') {
      throw new Refusal('other_filter')
    }
    return text
  }

  #keyword(word: string): boolean {
    const found = this.next?.word?.toLowerCase() === word
    if (found) this.#at++
    return found
  }
}

function phrase(field: string, text: string): Filter {
  if (/[^\x20-\x7e]/.test(text)) throw new Refusal('other_filter')
  if (!TWO_LETTERS.test(text) || NUMBER_IN_LETTERS.test(text)) throw new Refusal('number_like')
  return { is: 'phrase', field, phrase: text }
}

function together(is: 'and' | 'or', parts: readonly Filter[]): Filter {
  return parts.length === 1 ? (parts[0] as Filter) : { is, parts }
}

function written(filter: Filter): string {
  switch (filter.is) {
    case 'phrase': {
      const text = JSON.stringify(filter.phrase)
      return filter.field === MESSAGE ? text : `${JSON.stringify(filter.field)}:${text}`
    }
    case 'not':
      return `!(${written(filter.part)})`
    case 'and':
      return filter.parts.map(part => (part.is === 'or' ? `(${written(part)})` : written(part))).join(' ')
    case 'or':
      return filter.parts.map(written).join(' or ')
  }
}

/** Logic of three values: what is open counts only where the rest leaves it open. */
function prover(filter: Filter, names: Set<string>): WordQuery['proves'] {
  if (filter.is === 'phrase') {
    const { field } = filter
    const prove = provePhrase(filter.phrase)
    names.add(field)
    return fields => {
      const value = Object.hasOwn(fields, field) ? fields[field] : undefined
      if (typeof value === 'string') return prove(value)
      return value === undefined ? false : undefined
    }
  }
  if (filter.is === 'not') {
    const inner = prover(filter.part, names)
    return fields => {
      const proof = inner(fields)
      return proof === undefined ? undefined : !proof
    }
  }
  const parts = filter.parts.map(part => prover(part, names))
  const decides = filter.is === 'or'
  return fields => {
    let proof: Proof = !decides
    for (const part of parts) {
      const one = part(fields)
      if (one === decides) return one
      if (one === undefined) proof = undefined
    }
    return proof
  }
}
