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
  #set: { readonly set: PatternSet; readonly places: ReadonlyMap<string, number> } | undefined
  #records: Records | undefined
  #seen = 0
  #matching: readonly (readonly number[] | undefined)[] | undefined

  /** Undefined for an expression that a set might read in another way. */
  join(regex: string): Member | undefined {
    if (regex.includes('\\Q') || /\[[^\]]*\(\?/.test(regex)) return undefined
    this.#members.set(regex, (this.#members.get(regex) ?? 0) + 1)
    this.#set = undefined
    return {
      leave: () => {
        const left = (this.#members.get(regex) ?? 1) - 1
        if (left > 0) this.#members.set(regex, left)
        else this.#members.delete(regex)
        this.#set = undefined
        this.#forget()
      },
      matching: (records, worthIt = false) => this.#matchingOf(regex, records, worthIt),
    }
  }

  #matchingOf(regex: string, records: Records, worthIt: boolean): readonly number[] | undefined {
    if (records !== this.#records) {
      this.#forget()
      this.#records = records
    }
    this.#seen++
    if (worthIt) this.#seen = WORTH_IT
    if (this.#seen < WORTH_IT || this.#members.size < WORTH_IT) return undefined
    this.#matching ??= this.#pass(records)
    const place = this.#set?.places.get(regex)
    if (place === undefined) return undefined
    return this.#matching[place] ?? NONE
  }

  /** By expression, the places of the records that match. */
  #pass(records: Records): (readonly number[] | undefined)[] {
    const { set, places } = this.#built()
    const matches = set.match(records.map(record => record.bodyBytes()))
    const found: (number[] | undefined)[] = Array.from({ length: places.size })
    const add = (text: number, patterns: Iterable<number>): void => {
      for (const pattern of patterns) {
        const list = found[pattern]
        if (list) list.push(text)
        else found[pattern] = [text]
      }
    }
    for (const [text] of records.entries())
      if (matches.wasCut(text)) add(text, places.values())
      else add(text, matches.of(text))
    for (const { index } of set.refused) found[index] = [...records.keys()]
    return found
  }

  #built() {
    if (this.#set) return this.#set
    const all = [...this.#members.keys()]
    const set = buildPatternSet(
      all.map(text => ({ text, mode: 'regex' })),
      { maxTextBytes: MAX_TEXT_BYTES },
    )
    this.#set = { set, places: new Map(all.map((text, place) => [text, place])) }
    return this.#set
  }

  #forget(): void {
    this.#records = undefined
    this.#matching = undefined
    this.#seen = 0
  }
}

export interface Member {
  /**
   * The places of the records that may match; undefined: each has to be tried. `worthIt`: many parsers get these records,
   * though few have asked yet.
   */
  matching(records: Records, worthIt?: boolean): readonly number[] | undefined
  leave(): void
}

const NONE: readonly number[] = []
