import type { Proof } from './phrase.js'
import type { WordQuery } from './word-query.js'

const LINE_END = Buffer.from('\n')
const OPENING_BRACE = 0x7b

interface Dealt {
  /** By the text of the query, with line ends. */
  readonly hands: ReadonlyMap<string, Buffer[]>
  /** The `_time` of a line that no query has. */
  readonly unclaimed: string | undefined
}

/** Deals lines out to the queries that they were sent for. */
export class Dealer {
  readonly #queries: readonly WordQuery[]
  readonly #names: readonly Buffer[]

  constructor(queries: readonly WordQuery[]) {
    this.#queries = queries
    const fields = new Set(queries.flatMap(query => query.fields))
    this.#names = [...fields].map(field => Buffer.from(`${JSON.stringify(field)}:`))
  }

  deal(lines: readonly Buffer[]): Dealt {
    const hands = new Map<string, Buffer[]>()
    let unclaimed: string | undefined
    for (const line of lines) {
      const fields = this.#queries.length > 1 ? this.#fields(line) : undefined
      // Not when only the server can say whose it is.
      let isUnclaimed = true
      for (const { text, proves } of this.#queries) {
        // What is no line is each one's: it says why the answer ends, or is counted.
        const proof: Proof = fields ? proves(fields) : true
        if (proof) {
          const hand = hands.get(text) ?? []
          hand.push(line, LINE_END)
          hands.set(text, hand)
        }
        if (proof !== false) isUnclaimed = false
      }
      if (isUnclaimed) unclaimed = String(fields?._time)
    }
    return { hands, unclaimed }
  }

  /** Undefined for what is no line. A field that stands twice in it has no value here. */
  #fields(line: Buffer): Readonly<Record<string, unknown>> | undefined {
    if (line[0] !== OPENING_BRACE) return undefined
    try {
      const fields = JSON.parse(line.toString('utf8')) as Record<string, unknown>
      for (const name of this.#names) {
        const at = line.indexOf(name)
        if (at !== -1 && line.indexOf(name, at + 1) !== -1)
          fields[JSON.parse(name.toString().slice(0, -1))] = null
      }
      return fields
    } catch {
      return undefined
    }
  }
}
