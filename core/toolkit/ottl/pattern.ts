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

  /** Replaces every match by what `replacement` makes of it. */
  replaceAll(text: string, replacement: (match: RegExpMatch) => string): string {
    this.#all ??= new RE2(this.source, 'g')
    return this.#all.replace(text, (...parts: unknown[]) => {
      const named = typeof parts.at(-1) === 'object' ? parts.at(-1) : undefined
      const groups = parts.slice(0, named ? -3 : -2) as (string | undefined)[]
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

/**
 * A glob as Go's filepath.Match has it: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]`, a backslash escapes.
 * Throws `OttlEvalError`.
 */
export function compileGlob(glob: string, quotable: boolean): Pattern {
  let source = '^'
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i] as string
    if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const close = glob.indexOf(']', i + 2)
      if (close < 0) throw new OttlEvalError('the glob has a [ without its ]')
      source += `[${glob.slice(i + 1, close).replace(/\[/g, '\\[')}]`
      i = close
    } else {
      if (char === '\\') i++
      source += (glob[i] ?? '\\').replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    }
  }
  return compilePattern(`(?s)${source}$`, quotable)
}
