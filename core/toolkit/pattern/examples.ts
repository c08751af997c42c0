import RE2 from 're2'
import { compile, type Pattern, re2Source } from './pattern.js'
import { type Node, parseSyntax } from './syntax.js'

/** Of alternatives each is taken once; further ones share with others. */
const MAX_EXAMPLES = 8
const MAX_LENGTH = 2_000

/**
 * Short texts that the pattern matches, to show what it means: each branch of its alternatives is in one, the parts that may
 * be left out are left out in one. RE2 has said yes to each. Empty where none was found.
 */
export function examplesOf(pattern: Pattern): readonly string[] {
  if (pattern.text === '') return []
  if (pattern.mode !== 'regex') return [pattern.text]
  const compiled = compile(pattern)
  if (!(compiled instanceof RE2)) return []
  const syntax = parseSyntax(re2Source(pattern))
  if (!syntax) return []
  const found = new Set<string>()
  for (let turn = 0; turn < MAX_EXAMPLES; turn++) {
    const text = written(syntax.node, turn)
    if (text.length <= MAX_LENGTH && compiled.test(text)) found.add(text)
  }
  return [...found]
}

function written(node: Node, turn: number): string {
  switch (node.kind) {
    case 'runes':
      return String.fromCodePoint(node.runes[0] as number)
    case 'gap':
      return node.like
    case 'concat':
      return node.nodes.map(part => written(part, turn)).join('')
    case 'alternate':
      return written(node.nodes[turn % node.nodes.length] as Node, turn)
    case 'repeat': {
      // The last turn leaves out what may be left out.
      const times = node.min > 0 || turn === MAX_EXAMPLES - 1 ? node.min : 1
      return written(node.node, turn).repeat(Math.min(times, MAX_LENGTH))
    }
  }
}
