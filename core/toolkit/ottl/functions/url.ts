import { OttlEvalError } from '../errors.js'
import { type Converter, converter, param, string } from '../signature.js'
import type { Value } from '../values.js'

export const URL_CONVERTERS: readonly Converter[] = [
  converter('URL', [param('url_string', string)], 'map', urlParts),
]

// RFC 3986 without the laxness of browsers, which would write another path and drop a default port.
const PARTS =
  /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:([^/?#@]*)@)?(\[[0-9A-Fa-f:.]+\]|[^/?#@:[\]\s]*)(?::(\d{0,5}))?(?=[/?#]|$)|(?=\/))([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s

/** The parts of a URL, or of a path, under the names of OpenTelemetry's semantic conventions. */
function urlParts(text: string): Value {
  const match = PARTS.exec(text)
  if (!match) throw new OttlEvalError('the text is no URL')
  const [, scheme = '', user, host = '', port, path = '', query, fragment] = match
  const clear = decoded(path)
  const extension = clear.slice(clear.lastIndexOf('.') + 1)
  const [username, password] = user === undefined ? [] : split(user)
  const parts: [string, Value][] = [
    ['url.original', text],
    ['url.scheme', scheme.toLowerCase()],
    ['url.domain', host.replace(/^\[|\]$/g, '')],
    ['url.path', clear],
    ['url.port', port ? BigInt(port) : undefined],
    ['url.query', query || undefined],
    ['url.fragment', fragment ? decoded(fragment) : undefined],
    ['url.extension', clear.includes('.') ? extension || undefined : undefined],
    ['url.user_info', user],
    ['url.username', username ? decoded(username) : undefined],
    ['url.password', password === undefined ? undefined : decoded(password)],
  ]
  const result: Record<string, Value> = Object.create(null)
  for (const [name, value] of parts) if (value !== undefined) result[name] = value
  return result
}

function split(user: string): [string, string?] {
  const at = user.indexOf(':')
  return at < 0 ? [user] : [user.slice(0, at), user.slice(at + 1)]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OttlEvalError('the text is no URL: it has a % without two hex digits, or one that is no UTF-8')
  }
}
