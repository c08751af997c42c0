import type { IncomingHttpHeaders } from 'node:http'
import type { CorsConfig } from './config.js'

const ALWAYS_ALLOWED = ['content-type', 'content-encoding', 'x-requested-with', 'accept']

/** The headers that let a page of an allowed origin read the answer; none for other origins. */
export function corsHeaders(
  config: CorsConfig | undefined,
  { origin }: IncomingHttpHeaders,
): { [name: string]: string } {
  const matching = config?.allowed_origins.filter(each => origin !== undefined && originMatches(each, origin))
  if (!matching || matching.length === 0) return {}
  return {
    'access-control-allow-origin': origin as string,
    'access-control-expose-headers': 'retry-after',
    // Beacons, which OpenTelemetry's web SDK sends, always come with credentials. Not for just any page.
    ...(matching.some(each => each !== '*') && { 'access-control-allow-credentials': 'true' }),
    vary: 'origin',
  }
}

/** The headers of the answer to a preflight request; undefined when it is none, or not allowed. */
export function preflightHeaders(
  config: CorsConfig | undefined,
  method: string | undefined,
  headers: IncomingHttpHeaders,
): { [name: string]: string } | undefined {
  if (method !== 'OPTIONS' || headers['access-control-request-method'] !== 'POST') return undefined
  const allowed = corsHeaders(config, headers)
  if (!config || Object.keys(allowed).length === 0) return undefined
  const wanted = (headers['access-control-request-headers'] ?? '')
    .split(',')
    .map(name => name.trim().toLowerCase())
    .filter(name => name !== '')
  const names = new Set([...ALWAYS_ALLOWED, ...config.allowed_headers.map(name => name.toLowerCase())])
  return {
    ...allowed,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': wanted.filter(name => names.has('*') || names.has(name)).join(', '),
    ...(config.max_age !== undefined && { 'access-control-max-age': String(config.max_age) }),
  }
}

/** Origins are short; the pattern comes from the configuration. */
function originMatches(pattern: string, origin: string): boolean {
  if (pattern === '*' || pattern === origin) return true
  const [head = '', ...rest] = pattern.split('*')
  if (rest.length === 0 || !origin.startsWith(head)) return false
  let at = head.length
  for (const [index, part] of rest.entries()) {
    if (index === rest.length - 1) return origin.length - part.length >= at && origin.endsWith(part)
    const found = origin.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return true
}
