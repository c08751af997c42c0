/**
 * A pattern's text as the `re2` package must get it. Before RE2 sees a pattern, the package puts a backslash
 * before every `/` and a `P` into every `(?<`, also where both are literal: in `\Q...\E` and in classes.
 */
export function toRe2Source(text: string): string {
  if (!text.includes('\\Q') && !text.includes('(?<')) return text
  let source = ''
  for (let at = 0; at < text.length; ) {
    const end = tokenEnd(text, at)
    const token = text.slice(at, end)
    if (token.startsWith('\\Q')) source += quoteForRe2(token.slice(2).replace(/\\E$/, ''))
    else if (token.startsWith('[')) source += token.replaceAll('(?', '(\\?')
    else source += token
    at = end
  }
  return source
}

/** A regular expression that matches exactly this text. */
export function quoteForRe2(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

/** Where the token that starts at `at` ends: a class, a quotation, an escape or one character. */
function tokenEnd(text: string, at: number): number {
  if (text.startsWith('\\Q', at)) {
    const end = text.indexOf('\\E', at + 2)
    return end < 0 ? text.length : end + 2
  }
  if (text[at] === '\\') return Math.min(at + 2, text.length)
  return text[at] === '[' ? classEnd(text, at) : at + 1
}

/** The end of the class that starts at `at`. A `]` that comes first is a member. */
export function classEnd(text: string, at: number): number {
  let end = at + 1
  if (text[end] === '^') end++
  for (let first = true; end < text.length && (first || text[end] !== ']'); first = false) {
    const name = text.startsWith('[:', end) ? text.indexOf(':]', end + 2) : -1
    if (name >= 0) end = name + 2
    else end += text[end] === '\\' ? 2 : 1
  }
  return Math.min(end + 1, text.length)
}
