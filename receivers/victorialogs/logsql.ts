/**
 * Cuts a LogsQL query into its filter and its pipes, as the lexer of VictoriaLogs does: quotes (", ' and `), comments
 * from # to the end of the line, and brackets, in which a | belongs to a subquery. It parses no more than a judgement
 * of the query needs; what is no LogsQL is left to the server to refuse.
 */
export interface Token {
  /** What it says, a quoted one without its quotes. */
  readonly text: string
  readonly quoted: boolean
  /** White space or a comment stands before it. */
  readonly spaced: boolean
  /** How many brackets are open around it; a bracket itself counts to what is around it. */
  readonly depth: number
}

export interface LogsQl {
  readonly filter: readonly Token[]
  readonly pipes: readonly (readonly Token[])[]
}

const TOKEN = /[\p{L}\p{Nd}_]+|=~|!~|!=|[\s\S]/uy
const SPACE = /(?:\s|#[^\n]*)+/uy
const QUOTED = { '"': /"(?:[^"\\\n]|\\[\s\S])*"/y, "'": /'(?:[^'\\]|\\[\s\S])*'/y, '`': /`[^`]*`/y }

/** Never throws; takes time in proportion to the query. */
export function scanLogsQl(query: string): LogsQl {
  const parts: Token[][] = [[]]
  let depth = 0
  for (let at = 0; at < query.length; ) {
    const space = match(SPACE, query, at)
    at += space.length
    if (at >= query.length) break
    const raw = quotedAt(query, at) ?? match(TOKEN, query, at)
    at += raw.length
    const quoted = raw.length > 1 && raw[0] !== undefined && raw[0] in QUOTED
    if (!quoted && raw === '|' && depth === 0) {
      parts.push([])
      continue
    }
    if (!quoted && (raw === ')' || raw === ']' || raw === '}')) depth = Math.max(0, depth - 1)
    parts.at(-1)?.push({ text: quoted ? unquoted(raw) : raw, quoted, spaced: space !== '', depth })
    // A range may open with one bracket and close with the other: [a, b).
    if (!quoted && (raw === '(' || raw === '[' || raw === '{')) depth++
  }
  const [filter = [], ...pipes] = parts
  return { filter, pipes }
}

/** Whether the token is one of these words, which must be lower case: the server takes its keywords in any case. */
export function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token !== undefined && !token.quoted && words.includes(token.text.toLowerCase())
}

/**
 * The field names, or `prefix*`, of a list at the start of `tokens`: quoted, or glued from words and . - / : + $ without
 * white space. A comma or a space ends one.
 */
export function fieldNames(tokens: readonly Token[]): string[] {
  const names: string[] = []
  let open = false
  for (const token of tokens) {
    if (!token.quoted && token.text === ',') open = false
    else if (!token.spaced && !token.quoted && names.length > 0 && (open || token.text === '*')) {
      names[names.length - 1] += token.text
    } else {
      names.push(token.text)
      open = !token.quoted
      continue
    }
    if (token.text === '*') open = false
  }
  return names
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

function quotedAt(query: string, at: number): string | undefined {
  const pattern = QUOTED[query[at] as keyof typeof QUOTED]
  return (pattern && match(pattern, query, at)) || undefined
}

function unquoted(raw: string): string {
  const inner = raw.slice(1, -1)
  if (raw[0] === '`') return inner
  return inner.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|([\s\S]))/gi, (_, hex, unicode, char) =>
    char === undefined ? String.fromCharCode(Number.parseInt(hex ?? unicode, 16)) : char,
  )
}
