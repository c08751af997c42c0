import { LRUCache } from 'lru-cache'
import RE2 from 're2'
import { errorText } from '../../component/errors.js'
import { OttlEvalError } from './errors.js'

/** A regular expression in RE2's syntax; matching takes time linear in the text. */
export class Pattern {
  readonly #one: RE2
  #all: RE2 | undefined

  constructor(readonly source: string) {
    this.#one = new RE2(source)
  }

  /** The text as a string or as UTF-8 bytes; bytes are several times cheaper. */
  test(text: string | Uint8Array): boolean {
    return this.#one.test(text as string)
  }

  /** The named groups of the first match that took part in it; undefined without a match. */
  groups(text: string): { readonly [name: string]: string } | undefined {
    const match = this.#one.exec(text)
    if (!match) return undefined
    const groups: Record<string, string> = Object.create(null)
    for (const [name, value] of Object.entries(match.groups ?? {})) {
      if (value !== undefined) groups[name] = value
    }
    return groups
  }

  get hasNamedGroups(): boolean {
    return /\(\?P?<[A-Za-z_]/.test(this.source)
  }

  /**
   * Replaces every match by what `replacement` makes of it. As in Go, and not as in JavaScript, an empty match right
   * behind another match is none: `.*` matches `abc` once.
   */
  replaceAll(text: string, replacement: (match: RegExpMatch) => string): string {
    this.#all ??= new RE2(this.source, 'g')
    let end = -1
    return this.#all.replace(text, (...parts: unknown[]) => {
      const named = typeof parts.at(-1) === 'object' ? parts.at(-1) : undefined
      const groups = parts.slice(0, named ? -3 : -2) as (string | undefined)[]
      const at = parts.at(named ? -3 : -2) as number
      const whole = groups[0] as string
      if (whole === '' && at === end) return ''
      end = at + whole.length
      return replacement({ groups, named: (named ?? {}) as RegExpMatch['named'] })
    })
  }
}

export interface RegExpMatch {
  /** The whole match, then its groups. */
  readonly groups: readonly (string | undefined)[]
  readonly named: { readonly [name: string]: string | undefined }
}

// Patterns made from records: the cache bounds them.
const dynamic = new LRUCache<string, Pattern>({ max: 200 })

/** Throws `OttlEvalError` with RE2's reason; it quotes the pattern only where that is no data of a record. */
export function compilePattern(source: string, quotable: boolean): Pattern {
  const known = dynamic.get(source)
  if (known) return known
  try {
    const pattern = new Pattern(source)
    dynamic.set(source, pattern)
    return pattern
  } catch (error) {
    const reason = errorText(error)
    throw new OttlEvalError(`RE2 refuses the regular expression: ${quotable ? reason : reason.split(':')[0]}`)
  }
}
