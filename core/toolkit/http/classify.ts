/** What an HTTP status means to a sender. Redirects are not followed: a sender that follows them leaks its secrets. */
export function classifyStatus(status: number): 'ok' | 'retry' | 'refused' {
  if (status >= 200 && status < 300) return 'ok'
  return [408, 425, 429].includes(status) || status >= 500 ? 'retry' : 'refused'
}

const MAX_RETRY_AFTER_MS = 3_600_000

/**
 * A Retry-After header (RFC 9110, 10.2.3: seconds or a date; some servers send a fraction of seconds) in ms, at most an
 * hour; undefined when it is none.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  // Only the forms of HTTP dates: Date.parse takes nearly anything.
  const wantedMs = /^(\d+\.?\d*|\.\d+)$/.test(text)
    ? Number(text) * 1_000
    : /^[A-Z][a-z]{2,8},? .*\d{2}:\d{2}:\d{2}/.test(text)
      ? // The oldest form names no zone, and is GMT.
        Date.parse(/\d$/.test(text) ? `${text} GMT` : text) - nowMs
      : Number.NaN
  return Number.isNaN(wantedMs) ? undefined : Math.min(Math.max(wantedMs, 0), MAX_RETRY_AFTER_MS)
}
