const NONE: readonly number[] = []

/** Which patterns matched which texts of one batch. Texts that match nothing cost nothing here. */
export class Matches {
  readonly #texts: number[] = []
  readonly #patterns = new Map<number, readonly number[]>()
  readonly #cut = new Set<number>()

  /** Places of the texts that match at least one pattern, ascending. */
  get texts(): readonly number[] {
    return this.#texts
  }

  /** Places of the patterns that the text at this place matches, ascending. */
  of(text: number): readonly number[] {
    return this.#patterns.get(text) ?? NONE
  }

  /** Whether only the beginning of the text was matched, because it is longer than the limit. */
  wasCut(text: number): boolean {
    return this.#cut.has(text)
  }

  /** For the engine. `patterns` is not empty. */
  add(text: number, patterns: readonly number[]): void {
    this.#texts.push(text)
    this.#patterns.set(text, patterns)
  }

  /** For the engine. */
  addCut(text: number): void {
    this.#cut.add(text)
  }
}
