/**
 * The part of LogsQL that the test server answers: words, phrases, prefixes, `=exact`, `~regex`, `field:`, `{stream}`,
 * NOT/!/-, AND, OR, parentheses, and the pipes fields, delete, rename, filter, sort by (_time), limit,
 * math now() and count(). What it
 * does not know is an error, never a wrong answer.
 */
export type Fields = { readonly [name: string]: string }

export interface Query {
  readonly matches: (fields: Fields) => boolean
  readonly pipes: readonly Pipe[]
}

export type Pipe =
  | { readonly name: 'fields'; readonly fields: readonly string[] }
  | { readonly name: 'delete'; readonly fields: readonly string[] }
  | { readonly name: 'rename'; readonly from: string; readonly to: string }
  | { readonly name: 'count' }
  | { readonly name: 'math'; readonly field: string }
  | { readonly name: 'filter'; readonly matches: (fields: Fields) => boolean }
  | { readonly name: 'sort'; readonly descending: boolean }
  | { readonly name: 'limit'; readonly count: number }
  | { readonly name: 'refused'; readonly pipe: string }

export class LogsQlError extends Error {}

type Filter = (fields: Fields) => boolean

// Pipes that only the tail refuses; a query would have to evaluate them.
const UNKNOWN_PIPES = new Set(
  (
    'stats top uniq offset first last facets field_names field_values block_stats blocks_count union stream_context ' +
    'running_stats total_stats query_stats'
  ).split(' '),
)

export function parseLogsQl(text: string): Query {
  const parser = new Parser(text)
  const matches = parser.or()
  const pipes: Pipe[] = []
  while (parser.take('|')) pipes.push(parser.pipe())
  parser.end()
  return { matches, pipes }
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  or(): Filter {
    const any = [this.#and()]
    while (this.#keyword('or')) any.push(this.#and())
    return fields => any.some(filter => filter(fields))
  }

  pipe(): Pipe {
    const name = this.#word().toLowerCase()
    if (name === 'fields' || name === 'keep') {
      const fields = [this.#name()]
      while (this.take(',')) fields.push(this.#name())
      return { name: 'fields', fields }
    }
    if (name === 'delete' || name === 'del' || name === 'rm' || name === 'drop') {
      const fields = [this.#name()]
      while (this.take(',')) fields.push(this.#name())
      return { name: 'delete', fields }
    }
    if (name === 'rename' || name === 'mv') {
      const from = this.#name()
      this.#keyword('as')
      return { name: 'rename', from, to: this.#name() }
    }
    if (name === 'math' && this.#keyword('now') && this.take('(') && this.take(')') && this.#keyword('as')) {
      return { name: 'math', field: this.#name() }
    }
    if (name === 'count' && this.take('(') && this.take(')')) return { name: 'count' }
    if (name === 'filter' || name === 'where') return { name: 'filter', matches: this.or() }
    if (name === 'limit' || name === 'head') return { name: 'limit', count: Number(this.#word()) }
    if (name === 'sort' || name === 'order') {
      this.#keyword('by')
      const field = this.take('(') ? this.#name() : ''
      const descending = this.#keyword('desc')
      if (field !== '_time' || !this.take(')')) throw this.#error('only "sort by (_time)" is known')
      return { name: 'sort', descending: this.#keyword('desc') || descending }
    }
    if (!UNKNOWN_PIPES.has(name)) throw this.#error(`unknown pipe "${name}"`)
    this.#at = this.#text.length
    return { name: 'refused', pipe: name }
  }

  take(char: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  end(): void {
    this.#space()
    if (this.#at < this.#text.length) throw this.#error('unexpected text')
  }

  #and(): Filter {
    const all = [this.#unary()]
    for (;;) {
      this.#space()
      const rest = this.#text.slice(this.#at)
      if (rest === '' || /^(?:[|)]|or\b)/i.test(rest)) break
      this.#keyword('and')
      all.push(this.#unary())
    }
    return fields => all.every(filter => filter(fields))
  }

  #unary(): Filter {
    if (this.#keyword('not') || this.take('!') || this.take('-')) {
      const inner = this.#unary()
      return fields => !inner(fields)
    }
    if (this.take('(')) {
      const inner = this.or()
      if (!this.take(')')) throw this.#error('missing )')
      return inner
    }
    if (this.take('{')) return this.#stream()
    return this.#leaf('_msg')
  }

  #leaf(field: string): Filter {
    if (this.take('=')) {
      const exact = this.#name()
      return fields => fields[field] === exact
    }
    if (this.take('~')) {
      const regex = new RegExp(this.#name())
      return fields => regex.test(fields[field] ?? '')
    }
    if (this.take('*')) return fields => field === '_msg' || (fields[field] ?? '') !== ''
    const text = this.#name()
    if (field === '_msg' && this.#text[this.#at] === ':') {
      this.#at++
      if (text === '_time') throw this.#error('the filter _time is not known here')
      return this.#leaf(text)
    }
    const prefix = this.#text[this.#at] === '*'
    if (prefix) this.#at++
    return fields => hasPhrase(fields[field] ?? '', text, prefix)
  }

  #stream(): Filter {
    const pairs: [string, string][] = []
    while (!this.take('}')) {
      const name = this.#name()
      if (!this.take('=')) throw this.#error('only {name="value"} is known')
      pairs.push([name, this.#name()])
      this.take(',')
    }
    return fields => pairs.every(([name, value]) => fields[name] === value)
  }

  #name(): string {
    this.#space()
    const quote = this.#text[this.#at]
    if (quote !== '"' && quote !== "'" && quote !== '`') return this.#word()
    let value = ''
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] as string
      if (char === quote) {
        this.#at++
        return value
      }
      if (char === '\\' && quote !== '`') value += this.#text[++this.#at] ?? ''
      else value += char
    }
    throw this.#error('missing closing quote')
  }

  #word(): string {
    this.#space()
    const word = /^[\p{L}\p{N}_.@/-]+/u.exec(this.#text.slice(this.#at))?.[0]
    if (!word) throw this.#error('a word is missing')
    this.#at += word.length
    return word
  }

  #keyword(word: string): boolean {
    this.#space()
    const found = new RegExp(`^${word}\\b(?!:)`, 'i').test(this.#text.slice(this.#at))
    if (found) this.#at += word.length
    return found
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
  }

  #error(message: string): LogsQlError {
    return new LogsQlError(
      `cannot parse query [${this.#text}]: ${message}; context: [${this.#text.slice(this.#at, this.#at + 30)}]`,
    )
  }
}

/** A phrase matches at word borders; a prefix leaves the right border open. */
function hasPhrase(text: string, phrase: string, prefix: boolean): boolean {
  if (phrase === '') return prefix ? text !== '' : text === ''
  for (let at = text.indexOf(phrase); at !== -1; at = text.indexOf(phrase, at + 1)) {
    const left = !isWord(charBefore(text, at)) || !isWord(phrase[0])
    const right = prefix || !isWord(charAt(text, at + phrase.length)) || !isWord(phrase.at(-1))
    if (left && right) return true
  }
  return false
}

function charAt(text: string, at: number): string | undefined {
  return text.slice(at).match(/^[\s\S]/u)?.[0]
}

function charBefore(text: string, at: number): string | undefined {
  return text.slice(Math.max(0, at - 2), at).match(/[\s\S]$/u)?.[0]
}

/** What is no character counts as one beside a word, as for VictoriaLogs. */
function isWord(char: string | undefined): boolean {
  return char !== undefined && /[\p{L}\p{Nd}_\ufffd]/u.test(char)
}
