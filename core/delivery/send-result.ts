import { errorText } from '../component/errors.js'
import type { Sent } from '../component/exporter.js'

/** What an attempt to send came to. */
export type Verdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'refused'; readonly reason: string; readonly indices: ReadonlySet<number> }
  | { readonly kind: 'rejected'; readonly reason: string; readonly count: number }

export function verdictOf(sent: Sent, count: number): Verdict {
  if (sent === 'ok') return { kind: 'delivered' }
  if ('rejected' in sent) {
    const { rejected, reason } = sent
    if (!(rejected > 0)) return { kind: 'delivered' }
    if (rejected >= count) return { kind: 'refused', reason, indices: allOf(count) }
    return { kind: 'rejected', reason, count: Math.ceil(rejected) }
  }
  if (!('refused' in sent)) return { kind: 'failed', reason: sent.reason, retryAfterMs: sent.retryAfterMs }
  const indices = new Set(
    sent.refused.filter(index => Number.isInteger(index) && index >= 0 && index < count),
  )
  return indices.size === 0 ? { kind: 'delivered' } : { kind: 'refused', reason: sent.reason, indices }
}

/** A throw counts as retryable unless the error says otherwise. */
export function verdictOfError(error: unknown, count: number): Verdict {
  const reason = errorText(error)
  const permanent = (error as { retryable?: unknown } | undefined)?.retryable === false
  return permanent ? { kind: 'refused', reason, indices: allOf(count) } : { kind: 'failed', reason }
}

function allOf(count: number): ReadonlySet<number> {
  return new Set(Array.from({ length: count }, (_, index) => index))
}
