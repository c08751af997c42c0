import type { Sent } from '../component/exporter.js'
import type { PartialSuccess } from './answers.js'

/** An exporter's answer for a request that was taken, or taken in part. OTLP counts rejected records, and no more. */
export function sentOfPartial(partial: PartialSuccess | undefined, target: string): Sent {
  if (!partial || partial.rejected === 0) return 'ok'
  const text = partial.message && `: ${partial.message}`
  return { rejected: partial.rejected, reason: `${target} rejected ${partial.rejected} records${text}` }
}
