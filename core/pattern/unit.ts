import RE2 from 're2'
import { bytesOf, type Clause, requiredLiterals } from './literals.js'
import { checkPattern, compile, type Pattern, type PatternProblem, re2Source } from './pattern.js'
import { frequency } from './rarity.js'
import { parseSyntax } from './syntax.js'

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
  /** What RE2 compiles, for patterns that RE2 judges. */
  readonly source?: string
}

export function createUnit(pattern: Pattern): Unit | PatternProblem {
  const { text, mode, ignoreCase } = pattern
  if (text === '' || (mode === 'regex' && ignoreCase)) return checkPattern(pattern)!
  if (mode !== 'regex' && !ignoreCase) {
    return { patterns: [], judge: literalJudge(pattern), clauses: [[bytesOf(text)]], foldsAscii: false }
  }
  const compiled = compile(pattern)
  if (!(compiled instanceof RE2)) return compiled
  const source = re2Source(pattern)
  const syntax = parseSyntax(source)
  const clauses = syntax ? requiredLiterals(syntax.node, rarer) : []
  const judge: Judge = text => compiled.test(text)
  return { patterns: [], judge, clauses, foldsAscii: syntax?.foldsAscii ?? false, source }
}

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
