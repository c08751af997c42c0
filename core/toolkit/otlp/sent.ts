import type { Sent } from '../../component/exporter.js'
import { redact } from '../http/redact.js'
import type { PartialSuccess } from './answers.js'

/** What `sentOfPartial` says of the destination. */
export interface PartialOptions {
  /** What the server's message must not show. */
  readonly secrets?: readonly string[]
  /** Told what a server that took everything has to say. */
  readonly onWarning?: (message: string) => void
}

/** An exporter's answer for a request that was taken, or taken in part. OTLP counts rejected records, and no more. */
export function sentOfPartial(
  partial: PartialSuccess | undefined,
  target: string,
  { secrets = [], onWarning }: PartialOptions = {},
): Sent {
  if (!partial) return 'ok'
  const { rejected } = partial
  const message = redact(partial.message, secrets)
  if (rejected === 0) {
    onWarning?.(message)
    return 'ok'
  }
  return { rejected, reason: `${target} rejected ${rejected} records${message && `: ${message}`}` }
}
