import { type ILexingError, type IRecognitionException, type IToken, Lexer, tokenLabel } from 'chevrotain'
import { LRUCache } from 'lru-cache'
import type { Node, StatementNode } from './ast.js'
import { Fault } from './errors.js'
import { OttlParser } from './grammar.js'
import { T, VOCABULARY } from './tokens.js'

const MAX_LENGTH = 16_384
const MAX_DEPTH = 50

/** Throws `Fault`. */
export function parseCondition(text: string): Node {
  return known(CONDITIONS, text, parser => parser.condition())
}

/** Throws `Fault`. */
export function parseStatement(text: string): StatementNode {
  return known(STATEMENTS, text, parser => parser.statement())
}

/** Trees never change: a reload, and each of many tests of a configuration, finds what it has parsed before. */
const CONDITIONS = new LRUCache<string, Node>({ max: 500 })
const STATEMENTS = new LRUCache<string, StatementNode>({ max: 500 })

function known<T extends object>(
  cache: LRUCache<string, T>,
  text: string,
  rule: (parser: OttlParser) => T,
): T {
  const found = cache.get(text)
  if (found) return found
  const parsed = parse(text, rule)
  cache.set(text, parsed)
  return parsed
}

// Building the tables takes some milliseconds: on first use, not on import.
let tools: { lexer: Lexer; parser: OttlParser } | undefined

function parse<T>(text: string, rule: (parser: OttlParser) => T): T {
  if (text.length > MAX_LENGTH) {
    throw new Fault(`an expression has at most ${MAX_LENGTH} characters; this has ${text.length}`, MAX_LENGTH)
  }
  if (text.trim() === '') throw new Fault('the expression is empty', 0)
  tools ??= { lexer: new Lexer(VOCABULARY, { positionTracking: 'onlyOffset' }), parser: new OttlParser() }
  const { lexer, parser } = tools
  const { tokens, errors } = lexer.tokenize(text)
  if (errors[0]) throw lexingFault(text, errors[0])
  checkDepth(tokens)
  parser.input = tokens
  const result = rule(parser)
  if (parser.errors[0]) throw parsingFault(text, parser.errors[0])
  return result
}

function checkDepth(tokens: readonly IToken[]): void {
  let depth = 0
  for (const token of tokens) {
    const type = token.tokenType
    if (type === T.Open || type === T.OpenList || type === T.OpenMap) depth++
    else if (type === T.Close || type === T.CloseList || type === T.CloseMap) depth--
    if (depth > MAX_DEPTH) {
      throw new Fault(`brackets are nested more than ${MAX_DEPTH} deep`, token.startOffset)
    }
  }
}

function lexingFault(text: string, { offset }: ILexingError): Fault {
  const char = String.fromCodePoint(text.codePointAt(offset) ?? 0)
  switch (char) {
    case '"':
      return new Fault('the string is not closed', offset, 'end it with "; a quote inside is written \\"')
    case "'":
      return new Fault("unexpected '", offset, 'strings take double quotes')
    case '&':
      return new Fault('unexpected "&"', offset, 'write and')
    case '|':
      return new Fault('unexpected "|"', offset, 'write or')
    case '!':
      return new Fault('unexpected "!"', offset, 'write not')
    case '~':
      return new Fault('unexpected "~"', offset, 'to match a regular expression, write IsMatch(body, "...")')
    case '_':
      return new Fault('unexpected "_"', offset, 'there are no lambdas')
    case '#':
      return new Fault('unexpected "#"', offset, 'OTTL has no comments: write them in the YAML around it')
    default:
      return new Fault(`unexpected ${JSON.stringify(char)}`, offset)
  }
}

function parsingFault(text: string, { message, token }: IRecognitionException): Fault {
  const atEnd = !Number.isFinite(token.startOffset) || token.image === ''
  if (atEnd) return new Fault(`the expression ends, ${message}`, text.trimEnd().length)
  const fault = (fix?: string): Fault =>
    new Fault(`unexpected ${JSON.stringify(token.image)}, ${message}`, token.startOffset, fix)
  if (token.tokenType === T.Equal) return fault('to compare, write ==')
  if (token.tokenType === T.Compare && message.endsWith(tokenLabel(T.Close))) {
    return fault('an argument is a value; a condition stands behind where')
  }
  const infix = INFIX.get(token.image.toLowerCase())
  if (infix) return fault(infix)
  const word = token.image.toLowerCase()
  return fault(word !== token.image && /^(and|or|not|where)$/.test(word) ? `write ${word}` : undefined)
}

// Words that other languages put between two values.
const INFIX: ReadonlyMap<string, string> = new Map([
  ['in', 'write ContainsValue(["a", "b"], value)'],
  ['contains', 'write IsMatch(text, "part"), or ContainsValue(list, value)'],
  ['matches', 'write IsMatch(text, "regular expression")'],
  ['like', 'write IsMatch(text, "regular expression")'],
  ['startswith', 'write HasPrefix(text, "start")'],
  ['endswith', 'write HasSuffix(text, "end")'],
  ['exists', 'write ... != nil'],
  ['is', 'write == or !='],
  ['if', 'write where'],
])
