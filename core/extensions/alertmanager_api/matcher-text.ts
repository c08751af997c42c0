import { checkMatcher, type Matcher } from '#history'

const NAME = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^\s{}!=~,\\"'`]+))\s*(=~|!~|!=|=)\s*/s
const ESCAPED: { readonly [sign: string]: string } = { n: '\n', '"': '"', '\\': '\\' }

/**
 * `severity="critical"`, `host=~db-.+`, `"host.name"!=a`: one matcher, as Alertmanager reads it from a filter. Names of UTF-8 are
 * quoted or hold none of its signs; a text without quotes is a value too. Throws an Error that says what is wrong.
 */
export function parseMatcher(text: string): Matcher {
  const found = NAME.exec(text)
  if (!found) throw new Error(`bad matcher format: ${text}`)
  const [head, quoted, bare, operator = ''] = found
  const name = quoted === undefined ? (bare as string) : unescaped(quoted)
  const matcher: Matcher = {
    name,
    value: readValue(text.slice(head.length).trimEnd(), text),
    isRegex: operator.endsWith('~'),
    isEqual: operator.startsWith('='),
  }
  const problem = checkMatcher(matcher)
  if (problem) throw new Error(`bad matcher format: ${problem}`)
  return matcher
}

function readValue(raw: string, text: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(raw)?.[1]
  if (quoted !== undefined) return unescaped(quoted)
  if (/(?<!\\)"/.test(raw)) throw new Error(`matcher value contains unescaped double quote: ${text}`)
  return unescaped(raw)
}

/** What is no escape stays as it is: `\d` of a regular expression needs no second backslash. */
function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (whole, sign: string) => ESCAPED[sign] ?? whole)
}
