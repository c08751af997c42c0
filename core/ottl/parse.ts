import { type ILexingError, type IRecognitionException, type IToken, Lexer } from 'chevrotain'
import type { Node, StatementNode } from './ast.js'
import { Fault } from './errors.js'
import { OttlParser } from './grammar.js'
import { T, VOCABULARY } from './tokens.js'

const MAX_LENGTH = 16_384
const MAX_DEPTH = 50

/** Throws `Fault`. */
export function parseCondition(text: string): Node {
  return parse(text, parser => parser.condition())
}

/** Throws `Fault`. */
export function parseStatement(text: string): StatementNode {
  return parse(text, parser => parser.statement())
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
  if (/^(AND|OR|NOT|NIL|NULL|TRUE|FALSE|WHERE)$/i.test(token.image)) {
    const word = token.image.toLowerCase()
    if (word !== token.image || word === 'null') return fault(`write ${word === 'null' ? 'nil' : word}`)
  }
  return fault()
}
