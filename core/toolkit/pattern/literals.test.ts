import { describe, expect, it } from 'vitest'
import { requiredLiterals } from './literals.js'
import { parseSyntax } from './syntax.js'

const longest = (a: readonly string[], b: readonly string[]) => b[0]!.length - a[0]!.length

function clauses(source: string): string[] {
  const syntax = parseSyntax(source)
  return syntax ? requiredLiterals(syntax.node, longest).map(clause => clause.join('|')) : ['not understood']
}

describe('required literals', () => {
  it.each<[string, string[]]>([
    ['refused', ['refused']],
    ['ERROR.*refused', ['ERROR', 'refused']],
    ['^ERROR: \\w+ refused$', ['ERROR: ', ' refused']],
    ['(?:ERROR|FATAL): down', ['ERROR: down|FATAL: down']],
    ['(?:ERROR.*x|FATAL) down', ['ERROR|FATAL', ' down']],
    ['(down|.*)', []],
    ['down?', ['dow']],
    ['colou?r', ['colo', 'colour|color']],
    ['(down)*', []],
    ['(down)+ now', ['down', ' now']],
    ['(ab){2}c', ['ababc']],
    ['(ab){2,}c', ['abab', 'c']],
    ['a{0}b', ['b']],
    ['code[12]0', ['code', 'code10|code20']],
    ['code[^1]0', ['code', '0']],
    ['code[[:alpha:]]0', ['code', '0']],
    ['code[a-z]0', ['code', '0']],
    ['(?i)DOWN', ['down']],
    ['(?i)ok', ['o', 'ok|o\xe2\x84\xaa']],
    ['(?i)a(?-i)B', ['aB']],
    ['(?i:a)B', ['aB']],
    ['\\Qa.b\\E+c', ['a.b', 'c']],
    ['a\\.b\\x41\\x{42}\\103\\t', ['a.bABC\t']],
    ['é', ['\xc3\xa9']],
    ['a{,2}', ['a{,2}']],
    ['a{01}', ['a{01}']],
    ['x\\pLy\\p{Greek}z', ['x', 'y', 'z']],
    ['a\\bb\\Bc', ['abc']],
    ['(?P<n>ab)(?<m>cd)', ['abcd']],
    ['a||b', []],
    ['\\x{fffd}ab', ['ab']],
    ['\\cA', ['not understood']],
    ['\\u0041', ['not understood']],
  ])('%s', (source, expected) => {
    expect(clauses(source).filter((clause, at, all) => all.indexOf(clause) === at)).toEqual(expected)
  })

  it('stays small for expressions that multiply', () => {
    const found = clauses('(a|b|c)'.repeat(40))
    expect(Math.max(...found.map(clause => clause.split('|').length))).toBeLessThanOrEqual(16)
    expect(clauses(Array.from({ length: 500 }, (_, id) => `word${id}`).join('|'))).toEqual([])
  })
})
