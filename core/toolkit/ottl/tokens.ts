import { createToken, Lexer, type TokenType } from 'chevrotain'

// Labels are what error messages call a token.
const Name = createToken({ name: 'Name', pattern: /[A-Za-z][A-Za-z0-9_]*/, label: 'a name' })

const word = (name: string): TokenType =>
  createToken({
    name,
    pattern: new RegExp(name.toLowerCase()),
    longer_alt: Name,
    label: `"${name.toLowerCase()}"`,
  })

const sign = (name: string, text: string): TokenType =>
  createToken({ name, pattern: text, label: `"${text}"` })

export const T = {
  Name,
  Nil: word('Nil'),
  True: word('True'),
  False: word('False'),
  And: word('And'),
  Or: word('Or'),
  Not: word('Not'),
  Where: word('Where'),
  String: createToken({
    name: 'String',
    pattern: /"(?:[^"\\]|\\[\s\S])*"/,
    label: 'a string',
    line_breaks: true,
  }),
  Bytes: createToken({ name: 'Bytes', pattern: /0x[0-9a-fA-F]+/, label: 'bytes' }),
  Double: createToken({ name: 'Double', pattern: /\d*\.\d+(?:[eE][+-]?\d+)?/, label: 'a number' }),
  Int: createToken({ name: 'Int', pattern: /\d+/, label: 'a number' }),
  Compare: createToken({ name: 'Compare', pattern: /==|!=|<=|>=|<|>/, label: 'a comparison such as "=="' }),
  Equal: sign('Equal', '='),
  Plus: sign('Plus', '+'),
  Minus: sign('Minus', '-'),
  Times: sign('Times', '*'),
  Divide: sign('Divide', '/'),
  Open: sign('Open', '('),
  Close: sign('Close', ')'),
  OpenList: sign('OpenList', '['),
  CloseList: sign('CloseList', ']'),
  OpenMap: sign('OpenMap', '{'),
  CloseMap: sign('CloseMap', '}'),
  Comma: sign('Comma', ','),
  Colon: sign('Colon', ':'),
  Dot: sign('Dot', '.'),
  Space: createToken({ name: 'Space', pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true }),
} as const

/** In order of trial: words before names, doubles before integers and dots, `==` before `=`. */
export const VOCABULARY: TokenType[] = [
  T.Space,
  T.Nil,
  T.True,
  T.False,
  T.And,
  T.Or,
  T.Not,
  T.Where,
  T.Name,
  T.String,
  T.Bytes,
  T.Double,
  T.Int,
  T.Compare,
  T.Equal,
  T.Plus,
  T.Minus,
  T.Times,
  T.Divide,
  T.Open,
  T.Close,
  T.OpenList,
  T.CloseList,
  T.OpenMap,
  T.CloseMap,
  T.Comma,
  T.Colon,
  T.Dot,
]
