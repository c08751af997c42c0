/** A text cut into literal pieces and references. `body` of a reference may hold references itself. */
export type Part = string | Reference

export interface Reference {
  /** As written: `${env:X:-1}`. */
  readonly text: string
  readonly body: readonly Part[]
}

export interface ReferenceMistake {
  readonly message: string
  readonly fix: string
  /** From the start of the text. */
  readonly offset: number
}

/** References inside references. */
const MAX_NESTING = 20

/** Cuts a text at its references; `$$` becomes `$`, and a `$` that opens nothing stays. */
export function parseReferences(text: string): readonly Part[] | ReferenceMistake {
  const parser = new Parser(text)
  const parts = parser.parts(0)
  return parser.mistake ?? parts
}

class Parser {
  mistake: ReferenceMistake | undefined
  private at = 0

  constructor(private readonly text: string) {}

  /** Up to the closing brace of the reference around it, or the end. Braces in pairs belong to the text. */
  parts(nesting: number): readonly Part[] {
    const { text } = this
    const parts: Part[] = []
    let literal = ''
    let braces = 0
    while (this.at < text.length) {
      const char = text[this.at]!
      if (char === '$' && text[this.at + 1] === '$') {
        literal += '$'
        this.at += 2
      } else if (char === '$' && text[this.at + 1] === '{') {
        const reference = this.reference(nesting)
        if (typeof reference === 'string') literal += reference
        else {
          if (literal !== '') parts.push(literal)
          literal = ''
          parts.push(reference)
        }
      } else {
        if (nesting > 0 && char === '{') braces++
        if (nesting > 0 && char === '}' && braces-- === 0) break
        literal += char
        this.at++
      }
    }
    if (literal !== '') parts.push(literal)
    return parts
  }

  private reference(nesting: number): Part {
    const start = this.at
    // A lone "${" without any end is text, as in a regex; one that reads like a reference was meant as one.
    if (!this.text.includes('}', start) && !/^\$\{[A-Za-z_]/.test(this.text.slice(start, start + 3))) {
      this.at += 2
      return '${'
    }
    if (nesting >= MAX_NESTING)
      return this.fail(`references nest more than ${MAX_NESTING} deep`, 'flatten them', start)
    this.at += 2
    const body = this.parts(nesting + 1)
    if (this.text[this.at] !== '}')
      return this.fail('the reference "${" is not closed', 'add "}", or write "$${" for plain text', start)
    this.at++
    return { text: this.text.slice(start, this.at), body }
  }

  private fail(message: string, fix: string, offset: number): string {
    this.mistake ??= { message, fix, offset }
    this.at = this.text.length
    return ''
  }
}
