import { foldsOf } from './fold.js'
import { classEnd } from './source.js'

/** What the literal extraction needs to know of a regular expression. */
export type Node =
  /** One character out of these code points. */
  | { readonly kind: 'runes'; readonly runes: readonly number[] }
  /**
   * Any text at all: whatever is not worth a closer look. `weight`: how large RE2's program for it is, about; `like`: a
   * character that it likely takes.
   */
  | { readonly kind: 'gap'; readonly weight: number; readonly like: string }
  | { readonly kind: 'concat'; readonly nodes: readonly Node[] }
  | { readonly kind: 'alternate'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number }

type Gap = Extract<Node, { kind: 'gap' }>

export interface Syntax {
  readonly node: Node
  /** ASCII letters under `(?i)` stand in lower case for both: the literals hold for text in lower case only. */
  readonly foldsAscii: boolean
}

/** A class with more characters than this is a gap: its literals would be many and short. */
const MAX_RUNES = 10
export const GAP: Gap = { kind: 'gap', weight: 10, like: 'x' }
/** `.` */
const ANY: Gap = { kind: 'gap', weight: 10, like: ' ' }
const NOTHING: Node = { kind: 'concat', nodes: [] }

/**
 * Reads a regular expression that RE2 accepted, given as it was given to RE2. What it does not understand
 * becomes a gap, or `undefined` for the whole: never a node that accepts less than RE2 does.
 */
export function parseSyntax(source: string): Syntax | undefined {
  const parser = new Parser(source)
  try {
    const node = parser.alternation()
    return parser.atEnd ? { node, foldsAscii: parser.foldsAscii } : undefined
  } catch (error) {
    if (error instanceof NotUnderstood || error instanceof RangeError) return undefined
    throw error
  }
}

/** How large RE2's program for the expression is, about: in characters to tell apart, repeats written out. */
export function weightOf(node: Node): number {
  switch (node.kind) {
    case 'runes':
      return node.runes.length
    case 'gap':
      return node.weight
    case 'repeat':
      return weightOf(node.node) * Math.max(1, Number.isFinite(node.max) ? node.max : node.min)
    default:
      return node.nodes.reduce((sum, part) => sum + weightOf(part), 0)
  }
}

/**
 * RE2 keeps `[kK]` as a k without case, and beside other single characters, as in `[kK]|x`, it then takes the Kelvin
 * sign too; likewise the long s for `[sS]`.
 */
function orbitOf(runes: readonly number[]): number[] {
  const has = (letter: string): boolean => runes.includes(letter.codePointAt(0)!)
  return [...(has('k') && has('K') ? [0x212a] : []), ...(has('s') && has('S') ? [0x17f] : [])]
}

const OFTEN = ['x', '7', 'X', ' ', '-', '.', '/', '_', 'f', 'A']

/** A character that a class such as `[^ ]` or `[0-9a-f]` takes: JavaScript reads most of them as RE2 does. */
function likely(text: string): string {
  try {
    const pattern = new RegExp(
      text.replaceAll(/\[:(\w+):\]/g, (_, name: string) => POSIX[name] ?? ''),
      'u',
    )
    return OFTEN.find(character => pattern.test(character)) ?? 'x'
  } catch {
    return 'x'
  }
}

const POSIX: { readonly [name: string]: string } = {
  alnum: 'a-zA-Z0-9',
  alpha: 'a-zA-Z',
  digit: '0-9',
  lower: 'a-z',
  space: ' ',
  upper: 'A-Z',
  word: 'a-zA-Z0-9_',
  xdigit: '0-9a-f',
}

class NotUnderstood extends Error {}

class Parser {
  foldsAscii = false
  #at = 0
  #ignoreCase = false

  constructor(private readonly source: string) {}

  get atEnd(): boolean {
    return this.#at >= this.source.length
  }

  /** Up to the end or an unmatched `)`. Flags set inside last until then, across `|` too. */
  alternation(): Node {
    const branches: Node[] = []
    for (;;) {
      branches.push(this.#concatenation())
      if (!this.#take('|')) break
    }
    return branches.length === 1 ? branches[0]! : { kind: 'alternate', nodes: branches }
  }

  #concatenation(): Node {
    const nodes: Node[] = []
    while (!this.atEnd && this.source[this.#at] !== '|' && this.source[this.#at] !== ')') {
      const repeat = this.#repeat()
      if (!repeat) this.#item(nodes)
      else {
        // As in RE2, a repeat takes what was pushed last, whatever flags came between.
        const node = nodes.pop()
        if (!node) throw new NotUnderstood()
        nodes.push({ kind: 'repeat', node, ...repeat })
      }
    }
    return { kind: 'concat', nodes }
  }

  #item(nodes: Node[]): void {
    const { source } = this
    if (this.#take('(')) this.#group(nodes)
    else if (this.#take('.')) nodes.push(ANY)
    else if (this.#take('^') || this.#take('$')) nodes.push(NOTHING)
    else if (source[this.#at] === '[') nodes.push(this.#class())
    else if (this.#take('\\Q')) this.#quotation(nodes)
    else if (source[this.#at] === '\\') nodes.push(this.#escape())
    else nodes.push(this.#literal(this.#codePoint()))
  }

  #group(nodes: Node[]): void {
    const before = this.#ignoreCase
    const name = this.#match(/\?P?<[^>]*>/y)
    const flags = name ? undefined : this.#match(/\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/y)
    if (flags) {
      if (flags[1]?.includes('i')) this.#ignoreCase = true
      if (flags[2]?.includes('i')) this.#ignoreCase = false
      if (flags[3] === ')') return
    } else if (!name && this.source[this.#at] === '?') throw new NotUnderstood()
    nodes.push(this.alternation())
    if (!this.#take(')')) throw new NotUnderstood()
    this.#ignoreCase = before
  }

  #repeat(): { min: number; max: number } | undefined {
    const [simple] = this.#match(/[*+?]\??/y) ?? []
    if (simple) {
      return {
        min: simple.startsWith('+') ? 1 : 0,
        max: simple.startsWith('?') ? 1 : Number.POSITIVE_INFINITY,
      }
    }
    // A brace that starts no repeat is a literal; so is one whose numbers have leading zeros.
    const counted = this.#match(/\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}\??/y)
    if (!counted) return undefined
    const min = Number(counted[1])
    return { min, max: counted[2] === undefined ? min : Number(counted[3] ?? Number.POSITIVE_INFINITY) }
  }

  #quotation(nodes: Node[]): void {
    while (!this.atEnd && !this.#take('\\E')) nodes.push(this.#literal(this.#codePoint()))
  }

  #escape(): Node {
    if (this.#match(/\\[AzbB]/y)) return NOTHING
    const [, ascii] = this.#match(/\\([dsw])/y) ?? []
    if (ascii) return { kind: 'gap', weight: 2, like: { d: '7', s: ' ', w: 'x' }[ascii] as string }
    if (this.#match(/\\[CDS]/y)) return GAP
    if (this.#match(/\\W/y)) return { ...GAP, like: '-' }
    const unicode = this.#match(/\\[pP](?:\{[^}]*\}|[A-Z])/y)
    if (unicode) return { kind: 'gap', weight: 1_000, like: /\{?\^?N/.test(unicode[0]) ? '7' : 'x' }
    return this.#literal(this.#escapedCodePoint())
  }

  #escapedCodePoint(): number {
    const hex = this.#match(/\\x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/y)
    if (hex) return Number.parseInt((hex[1] ?? hex[2])!, 16)
    const octal = this.#match(/\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y)
    if (octal) return Number.parseInt(octal[1]!, 8)
    const named = this.#match(/\\([aftnrv])/y)
    if (named) return { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }[named[1] as 'a']
    const punctuation = this.#match(/\\([^0-9A-Za-z\u0080-\u{10FFFF}])/uy)
    if (!punctuation) throw new NotUnderstood()
    return punctuation[1]!.codePointAt(0)!
  }

  #class(): Node {
    const end = classEnd(this.source, this.#at)
    const start = this.#at
    this.#at++
    const runes = this.source[this.#at] === '^' ? undefined : this.#members(end - 1)
    this.#at = end
    if (this.source[end - 1] !== ']' || end - start < 3) throw new NotUnderstood()
    if (runes) return this.#fold([...runes, ...orbitOf(runes)])
    const text = this.source.slice(start, end)
    return { kind: 'gap', weight: /\\[pP]/.test(text) ? 1_000 : 10, like: likely(text) }
  }

  /** The members of a class up to `end`, `undefined` when they are many or named. */
  #members(end: number): number[] | undefined {
    const runes: number[] = []
    while (this.#at < end) {
      if (this.source.startsWith('[:', this.#at) || this.#match(/\\[dDsSwWpP]/y)) return undefined
      const low = this.#member()
      const ranged = this.source[this.#at] === '-' && this.#at + 1 < end
      if (ranged) this.#at++
      const high = ranged ? this.#member() : low
      if (runes.length + high - low >= MAX_RUNES) return undefined
      for (let rune = low; rune <= high; rune++) runes.push(rune)
    }
    return runes
  }

  #member(): number {
    return this.source[this.#at] === '\\' ? this.#escapedCodePoint() : this.#codePoint()
  }

  #literal(rune: number): Node {
    return this.#fold([rune])
  }

  #fold(runes: readonly number[]): Node {
    const all = new Set<number>()
    for (const rune of runes) {
      // Surrogates have no UTF-8; U+FFFD is what the package makes of them.
      if ((rune >= 0xd800 && rune <= 0xdfff) || rune === 0xfffd || rune > 0x10ffff) return GAP
      const folds = this.#ignoreCase ? foldsOf(rune) : [rune]
      if (!folds) return GAP
      for (const fold of folds) all.add(fold)
    }
    this.foldsAscii ||= this.#ignoreCase
    return all.size > MAX_RUNES ? GAP : { kind: 'runes', runes: [...all] }
  }

  #codePoint(): number {
    const rune = this.source.codePointAt(this.#at)!
    this.#at += rune > 0xffff ? 2 : 1
    return rune
  }

  #take(text: string): boolean {
    if (!this.source.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at
    const match = sticky.exec(this.source)
    if (!match) return undefined
    this.#at = sticky.lastIndex
    return match
  }
}
