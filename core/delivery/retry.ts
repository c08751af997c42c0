import type { Random } from '../component/context.js'
import type { RetrySettings } from './settings.js'

/** A destination may ask for a longer wait than our back-off, but not for longer than this. */
const MAX_RETRY_AFTER_MS = 3_600_000

/** For what must succeed in the end: the queue's store, the dead letters. */
export const PERSISTENT: RetrySettings = {
  enabled: true,
  initialIntervalMs: 500,
  multiplier: 2,
  randomizationFactor: 0.5,
  maxIntervalMs: 30_000,
  maxElapsedMs: 0,
}

/** While a delivery drains, a long back-off would sleep through the time that is left. */
export function hurried(settings: RetrySettings): RetrySettings {
  return { ...settings, maxIntervalMs: Math.min(settings.maxIntervalMs, 2_000) }
}

export type Retry = { readonly delayMs: number } | { readonly giveUp: 'retry_disabled' | 'retries_exhausted' }

/**
 * What to do after a failed attempt: exponential back-off with jitter, or as long as the destination asks for. The last
 * attempt is made when `maxElapsedMs` is up (0: no end).
 */
export function nextRetry(
  settings: RetrySettings,
  failure: {
    readonly attempt: number
    readonly elapsedMs: number
    readonly retryAfterMs?: number | undefined
  },
  random: Random,
): Retry {
  if (!settings.enabled) return { giveUp: 'retry_disabled' }
  const leftMs = settings.maxElapsedMs === 0 ? Infinity : settings.maxElapsedMs - failure.elapsedMs
  if (leftMs <= 0) return { giveUp: 'retries_exhausted' }
  const wantedMs = Math.max(
    backoffMs(settings, failure.attempt, random),
    Math.min(failure.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS),
  )
  return { delayMs: Math.min(wantedMs, leftMs) }
}

/** The wait after the attempt of this number (from 1). */
export function backoffMs(settings: RetrySettings, attempt: number, random: Random): number {
  // The exponent is bounded so that the power stays finite.
  const grown = settings.initialIntervalMs * settings.multiplier ** Math.min(attempt - 1, 100)
  const spread = settings.randomizationFactor
  return Math.min(grown, settings.maxIntervalMs) * (1 - spread + 2 * spread * random())
}
