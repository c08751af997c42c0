import { OttlEvalError } from './errors.js'
import { compilePattern, type Pattern } from './pattern.js'

/**
 * A glob as the Collector's library, gobwas/glob, reads it without separators: `*` and `**` take any text, slashes
 * too, `?` any character, `[abc]` and `[!abc]` one of a list, `[a-c]` and `[!a-c]` one of a range, `{a,b*}` one of
 * several globs; a backslash takes the next character as it is. Throws `OttlEvalError`.
 */
export function compileGlob(glob: string, quotable: boolean): Pattern {
  return compilePattern(`(?s)^(?:${new GlobReader(glob).read()})$`, quotable)
}

class GlobReader {
  readonly #chars: readonly string[]
  #at = 0
  #open = 0

  constructor(glob: string) {
    this.#chars = [...glob]
  }

  /** The glob as a regular expression. */
  read(): string {
    let source = ''
    while (this.#at < this.#chars.length) source += this.#next()
    if (this.#open > 0) throw new OttlEvalError('the glob has a { without its }')
    return source
  }

  #next(): string {
    const char = this.#chars[this.#at++] as string
    switch (char) {
      case '*':
        return '.*'
      case '?':
        return '.'
      case '[':
        return this.#list()
      case '{':
        this.#open++
        return '(?:'
      case '\\':
        // A backslash at the very end stands for nothing.
        return quoted(this.#chars[this.#at++] ?? '')
      default:
        if (this.#open > 0 && char === ',') return '|'
        if (this.#open === 0 || char !== '}') return quoted(char)
        this.#open--
        return ')'
    }
  }

  /** Behind a `[`: one range, or a list in which only `]` and the backslash mean something. */
  #list(): string {
    const not = this.#chars[this.#at] === '!' ? '^' : ''
    if (not) this.#at++
    const [from, dash, to, close] = this.#chars.slice(this.#at, this.#at + 4)
    if (from !== undefined && dash === '-' && to !== undefined) {
      if (close !== ']') {
        throw new OttlEvalError('the glob mixes a range with other characters: write {[a-z],[0-9]}')
      }
      if (to < from) throw new OttlEvalError('the glob has a range that runs backwards')
      this.#at += 4
      return `[${not}${quoted(from)}-${quoted(to)}]`
    }
    let list = ''
    for (;;) {
      let char = this.#chars[this.#at++]
      if (char === ']') break
      if (char === '\\') char = this.#chars[this.#at++]
      if (char === undefined) throw new OttlEvalError('the glob has a [ without its ]')
      list += quoted(char)
    }
    if (list === '') throw new OttlEvalError('the glob has an empty [ ]')
    return `[${not}${list}]`
  }
}

function quoted(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|-]/, '\\$&')
}
