import RE2 from 're2'
import { bytesOf, type Clause, MAX_LITERAL, requiredLiterals } from './literals.js'
import { checkPattern, compile, type Pattern, type PatternProblem, re2Source } from './pattern.js'
import { frequency } from './rarity.js'
import { parseSyntax, weightOf } from './syntax.js'

/** Whether a text matches, decided by RE2 or, for literals, by comparing bytes. */
export type Judge = (text: Buffer) => boolean

/** One distinct pattern of a table, however many rows have it. */
export interface Unit {
  /** The places of the pattern in the table, ascending. */
  readonly patterns: number[]
  readonly judge: Judge
  /** Required literals, all of them; empty when none is known. */
  readonly clauses: readonly Clause[]
  /** The clauses' ASCII letters are in lower case where the pattern ignores case. */
  readonly foldsAscii: boolean
  /** What RE2 compiles, for patterns that RE2 judges, and how large its program is, about. */
  readonly re2?: { readonly source: string; readonly weight: number }
}

export function createUnit(pattern: Pattern): Unit | PatternProblem {
  const { text, mode, ignoreCase } = pattern
  if (text === '' || (mode === 'regex' && ignoreCase)) return checkPattern(pattern)!
  const literal = asLiteral(pattern)
  if (literal) {
    return {
      patterns: [],
      judge: literalJudge(literal),
      clauses: [[bytesOf(text).slice(0, MAX_LITERAL)]],
      foldsAscii: false,
    }
  }
  const compiled = compile(pattern)
  if (!(compiled instanceof RE2)) return compiled
  const source = re2Source(pattern)
  const syntax = parseSyntax(source)
  const clauses = syntax ? requiredLiterals(syntax.node, rarer) : []
  const re2 = { source, weight: syntax ? weightOf(syntax.node) : Number.POSITIVE_INFINITY }
  const judge: Judge = text => compiled.test(text)
  return { patterns: [], judge, clauses, foldsAscii: syntax?.foldsAscii ?? false, re2 }
}

/** A regular expression of plain characters says the same as a literal, and needs no RE2. */
function asLiteral(pattern: Pattern): Pattern | undefined {
  if (pattern.ignoreCase) return undefined
  if (pattern.mode !== 'regex') return pattern
  return PLAIN.test(pattern.text) ? { ...pattern, mode: 'contain' } : undefined
}

/** Printable ASCII without what means something to RE2. */
const PLAIN = /^[ !"#%&',/0-9:;<=>@A-Z_`a-z~-]+$/

function rarer(a: Clause, b: Clause): number {
  return expected(a) - expected(b)
}

function expected(clause: Clause): number {
  return clause.reduce((sum, literal) => sum + frequency(literal), 0)
}

function literalJudge({ text, mode }: Pattern): Judge {
  const literal = Buffer.from(text, 'utf8')
  const size = literal.length
  switch (mode) {
    case 'exact':
      return text => text.length === size && literal.equals(text)
    case 'prefix':
      return text => text.length >= size && literal.compare(text, 0, size) === 0
    case 'suffix':
      return text => text.length >= size && literal.compare(text, text.length - size) === 0
    default:
      return text => text.includes(literal)
  }
}
