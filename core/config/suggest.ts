import { distance } from 'fastest-levenshtein'

/** Words that tools use for the same thing: a key of one row hints at another key of that row. */
const SYNONYMS: readonly (readonly string[])[] = [
  [
    'endpoint',
    'url',
    'uri',
    'address',
    'addr',
    'host',
    'hostname',
    'server',
    'target',
    'listen',
    'webhook_url',
    'endpoints',
  ],
  ['interval', 'period', 'every', 'frequency', 'poll_interval', 'reload_period', 'window', 'duration'],
  ['count', 'limit', 'max', 'threshold', 'rate'],
  ['username', 'user', 'login', 'user_name'],
  ['password', 'pass', 'passwd', 'pwd'],
  ['regex', 'regexp', 'expression', 'pattern', 're'],
  ['time_zone', 'timezone', 'tz', 'timestamp_timezone', 'location'],
  ['condition', 'when', 'if', 'where', 'filter', 'expr'],
  ['include', 'path', 'paths', 'file', 'files', 'filename', 'glob', 'globs'],
  ['directory', 'dir', 'folder', 'path', 'data_dir'],
  ['storage', 'store', 'state', 'persistence', 'backend'],
  ['database', 'db'],
  ['accent_color', 'color', 'colour', 'accent_colour'],
  ['title', 'subject', 'summary', 'subject_template'],
  ['body', 'message', 'text', 'content'],
  ['headers', 'header', 'http_headers'],
  ['timeout', 'time_out', 'deadline', 'request_timeout'],
  ['query', 'search', 'q', 'expr'],
  ['key', 'by', 'group_by', 'hash_keys', 'keys'],
  ['level', 'log_level', 'verbosity', 'severity'],
  ['encoding', 'format', 'log_format'],
]

const MAX_LISTED = 12

/** The candidate that was most likely meant, if one is near enough. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = normal(name)
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const other = normal(candidate)
    if (Math.abs(other.length - wanted.length) >= bestDistance) continue
    const away = isSwapped(wanted, other) ? 1 : distance(wanted, other)
    if (away < bestDistance) {
      best = candidate
      bestDistance = away
    }
  }
  return best
}

/** A candidate that means the same: by the schema's own hints first, then by common usage. */
export function synonym(
  name: string,
  candidates: readonly string[],
  own: { readonly [name: string]: string } = {},
): string | undefined {
  if (Object.hasOwn(own, name)) return own[name]
  const wanted = snakeCase(name)
  if (candidates.includes(wanted)) return wanted
  for (const row of SYNONYMS) {
    if (!row.includes(wanted)) continue
    const found = row.find(word => word !== wanted && candidates.includes(word))
    if (found !== undefined) return found
  }
  return undefined
}

/** `did you mean "x"? valid keys: a, b`. */
export function suggestion(name: string, candidates: readonly string[], noun: string): string {
  const near = nearest(name, candidates)
  return `${near === undefined ? '' : `did you mean "${near}"? `}${listed(candidates, noun)}`
}

export function listed(candidates: readonly string[], noun: string): string {
  if (candidates.length === 0) return `there are no ${noun}`
  const more = candidates.length - MAX_LISTED
  const shown = candidates.slice(0, more > 0 ? MAX_LISTED : undefined).join(', ')
  return `${noun}: ${shown}${more > 0 ? ` and ${more} more` : ''}`
}

function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-. ]/g, '_')
    .toLowerCase()
}

/** Two letters in the wrong order are one mistake. */
function isSwapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  const at = [...a].findIndex((letter, index) => letter !== b[index])
  return at >= 0 && a.slice(at, at + 2) === `${b[at + 1]}${b[at]}` && a.slice(at + 2) === b.slice(at + 2)
}

function normal(name: string): string {
  return name.toLowerCase().replace(/[-_ .]/g, '')
}
