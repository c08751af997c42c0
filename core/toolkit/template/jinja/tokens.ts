/** The pieces of a Jinja template that are code: what stands in `{{ }}` and `{% %}`, without comments and raw text. */
export interface Tag {
  readonly kind: 'value' | 'statement'
  /** Of the opening brace; from the start of the template. */
  readonly start: number
  /** Behind the closing brace, or the end of an unclosed tag. */
  readonly end: number
  readonly tokens: readonly Token[]
}

export interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'sign'
  /** As written, quotes included. */
  readonly text: string
  readonly offset: number
}

const TOKEN =
  /\s+|([\p{L}_][\p{L}\p{N}_]*)|("(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*')|(\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)|(\/\/|\*\*|[=!<>]=|[\s\S])/uy
const RAW = /\{%[-+]?\s*raw\s*[-+]?%\}/y
const END_RAW = /\{%[-+]?\s*endraw\s*[-+]?%\}/g

/** Never fails: what does not parse is for the engine to refuse. */
export function tagsOf(source: string): readonly Tag[] {
  const tags: Tag[] = []
  for (let at = source.indexOf('{'); at >= 0; at = source.indexOf('{', at)) {
    const next = source[at + 1]
    if (next === '#') at = ended(source, source.indexOf('#}', at + 2), 2)
    else if (next === '{' || next === '%') {
      const raw = next === '%' && sticky(RAW, source, at)
      if (raw) {
        END_RAW.lastIndex = at + raw[0].length
        const end = END_RAW.exec(source)
        at = end ? END_RAW.lastIndex : source.length
      } else {
        const tag = readTag(source, at, next === '{' ? 'value' : 'statement')
        tags.push(tag)
        at = tag.end
      }
    } else at++
  }
  return tags
}

function readTag(source: string, start: number, kind: Tag['kind']): Tag {
  const close = kind === 'value' ? '}}' : '%}'
  const tokens: Token[] = []
  let braces = 0
  let at = start + 2
  if (source[at] === '-' || source[at] === '+') at++
  while (at < source.length) {
    const shut = /[-+]/.test(source[at] as string) && source.startsWith(close, at + 1) ? at + 1 : at
    if (braces === 0 && source.startsWith(close, shut)) return { kind, start, end: shut + 2, tokens }
    const [text, name, quoted, number, sign] = sticky(TOKEN, source, at) as RegExpExecArray
    if (sign === '{') braces++
    if (sign === '}' && braces > 0) braces--
    const type = name ? 'name' : quoted ? 'text' : number ? 'number' : sign ? 'sign' : undefined
    if (type) tokens.push({ kind: type, text, offset: at })
    at += text.length
  }
  return { kind, start, end: source.length, tokens }
}

function sticky(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(source)
}

function ended(source: string, at: number, length: number): number {
  return at < 0 ? source.length : at + length
}
