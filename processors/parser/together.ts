import type { Records } from 'tocsin/component'
import { buildPatternSet, type PatternSet } from 'tocsin/pattern'

/** So many parsers must have seen a batch before it is worth a pass for all of them. */
const WORTH_IT = 4
/** Longer texts are left to each parser. */
const MAX_TEXT_BYTES = 1024 * 1024

/**
 * Parsers of pipelines that share a receiver get the same batches: their expressions are matched in one pass over a batch,
 * whose cost does not grow with their number. With hundreds of rules on one source that is nearly all of the work.
 */
export class Together {
  /** How many parsers have an expression. */
  readonly #members = new Map<string, number>()
  #set: { readonly set: PatternSet; readonly all: readonly string[] } | undefined
  #records: Records | undefined
  #seen = 0
  /** By expression, the places of the records that match. */
  #matching: ReadonlyMap<string, readonly number[]> | undefined

  /** Undefined for an expression that a set might read in another way. */
  join(regex: string): Member | undefined {
    if (regex.includes('\\Q') || /\[[^\]]*\(\?/.test(regex)) return undefined
    this.#members.set(regex, (this.#members.get(regex) ?? 0) + 1)
    this.#set = undefined
    this.#forget()
    return {
      leave: () => {
        const left = (this.#members.get(regex) ?? 1) - 1
        if (left > 0) this.#members.set(regex, left)
        else this.#members.delete(regex)
        this.#set = undefined
        this.#forget()
      },
      matching: records => this.#matchingOf(regex, records),
    }
  }

  /** The expressions that match some of the records, for many parsers that get them. */
  wanting(records: Records): Iterable<string> | undefined {
    this.#lookAt(records)
    this.#seen = WORTH_IT
    return this.#passed(records)?.keys()
  }

  #matchingOf(regex: string, records: Records): readonly number[] | undefined {
    this.#lookAt(records)
    this.#seen++
    const matching = this.#passed(records)
    return matching && (matching.get(regex) ?? NONE)
  }

  #lookAt(records: Records): void {
    if (records === this.#records) return
    this.#forget()
    this.#records = records
  }

  #passed(records: Records): ReadonlyMap<string, readonly number[]> | undefined {
    if (this.#seen < WORTH_IT || this.#members.size < WORTH_IT) return undefined
    this.#matching ??= this.#pass(records)
    return this.#matching
  }

  #pass(records: Records): ReadonlyMap<string, readonly number[]> {
    const { set, all } = this.#built()
    const matches = set.match(records.map(record => record.bodyBytes()))
    const found = new Map<string, number[]>()
    const add = (text: number, pattern: number): void => {
      const regex = all[pattern] as string
      const list = found.get(regex)
      if (list) list.push(text)
      else found.set(regex, [text])
    }
    for (const [text] of records.entries())
      for (const pattern of matches.wasCut(text) ? all.keys() : matches.of(text)) add(text, pattern)
    for (const { index } of set.refused) found.set(all[index] as string, [...records.keys()])
    return found
  }

  #built() {
    if (this.#set) return this.#set
    const all = [...this.#members.keys()]
    const set = buildPatternSet(
      all.map(text => ({ text, mode: 'regex' })),
      { maxTextBytes: MAX_TEXT_BYTES },
    )
    this.#set = { set, all }
    return this.#set
  }

  #forget(): void {
    this.#records = undefined
    this.#matching = undefined
    this.#seen = 0
  }
}

export interface Member {
  /** The places of the records that may match; undefined: each has to be tried. */
  matching(records: Records): readonly number[] | undefined
  leave(): void
}

const NONE: readonly number[] = []
