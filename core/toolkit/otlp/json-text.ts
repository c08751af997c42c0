import type { Steps } from '../../component/in-slices.js'

/** Characters of a step, and of what becomes bytes at once, about. */
const STEP = 64 * 1024

/** JSON in UTF-8 as it is written. */
export class JsonText {
  readonly #pieces: Buffer[] = []
  #text = ''

  add(json: string): void {
    this.#text += json
    if (this.#text.length >= STEP) this.#flush()
  }

  /** What JSON.stringify writes of plain JSON: texts that are long in steps. */
  *value(value: unknown): Steps<void> {
    if (typeof value === 'string' && value.length > STEP) yield* this.#long(value)
    else if (Array.isArray(value)) {
      this.add('[')
      for (const [index, item] of value.entries()) {
        if (index > 0) this.add(',')
        yield* this.value(item)
      }
      this.add(']')
    } else if (typeof value === 'object' && value !== null) {
      let before = '{'
      for (const [key, item] of Object.entries(value)) {
        this.add(`${before}${JSON.stringify(key)}:`)
        yield* this.value(item)
        before = ','
      }
      this.add(before === '{' ? '{}' : '}')
    } else this.add(JSON.stringify(value))
  }

  bytes(): Buffer {
    this.#flush()
    return this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces)
  }

  *#long(text: string): Steps<void> {
    this.add('"')
    for (let at = 0; at < text.length; ) {
      let end = at + STEP
      // Not between the halves of a character.
      if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++
      this.add(JSON.stringify(text.slice(at, end)).slice(1, -1))
      at = end
      yield
    }
    this.add('"')
  }

  #flush(): void {
    if (this.#text === '') return
    this.#pieces.push(Buffer.from(this.#text))
    this.#text = ''
  }
}

/** Whether a text is one that `JsonText` writes in steps. */
export function isLong(text: string): boolean {
  return text.length > STEP
}
