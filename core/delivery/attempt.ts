import type { Clock } from '../component/context.js'
import { errorText } from '../component/errors.js'
import type { Exporter, ExportRequest, Sent } from '../component/exporter.js'
import { onAbort } from '../component/on-abort.js'
import { scheduleAwake } from './awake-timer.js'

/** An exporter that does not heed its signal is left behind after this. */
const GRACE_MS = 1_000

/** So many attempts share a signal: with what an exporter leaves on it, it stays below the ten listeners at which Node warns. */
const ATTEMPTS_A_SIGNAL = 8

export interface AttemptOptions {
  /** 0: no limit. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Aborted: the attempt is given up. */
  readonly stop: AbortSignal
}

interface Abort {
  readonly controller: AbortController
  /** Attempts that it may still serve. */
  left: number
}

/** Sends once at a time or several times at once. Signals that were not aborted serve again: one costs as much as half of a small request. */
export class Attempts {
  readonly #spare: Abort[] = []

  /** Sends once, within `timeoutMs` and until `stop` is aborted. Never rejects. */
  make(
    exporter: Exporter,
    request: ExportRequest,
    { timeoutMs, clock, stop }: AttemptOptions,
  ): Promise<SendResult> {
    const abort = this.#spare.pop() ?? newAbort()
    const { controller } = abort
    const { signal } = controller
    return new Promise(resolve => {
      let over: (() => void) | undefined
      const cancel = (reason: string): void => {
        controller.abort(new Error(reason))
        over ??= clock.schedule(GRACE_MS, () => done({ kind: 'failed', reason }))
      }
      const cancelTimer =
        timeoutMs === 0
          ? undefined
          : scheduleAwake(clock, timeoutMs, () => cancel(`No answer within ${timeoutMs} ms.`))
      const forget = onAbort(stop, () => cancel('The exporter stops.'))
      const done = (result: SendResult): void => {
        cancelTimer?.()
        forget()
        over?.()
        resolve(result)
      }
      void sendOnce(exporter, request, signal).then(result => {
        done(result)
        if (!signal.aborted && --abort.left > 0) this.#spare.push(abort)
      })
    })
  }
}

function newAbort(): Abort {
  const controller = new AbortController()
  // Keeps the one listener that `onAbort` has, which each attempt would else add and remove.
  onAbort(controller.signal, () => undefined)
  return { controller, left: ATTEMPTS_A_SIGNAL }
}

/** Also where `send` throws instead of rejecting, or answers what it must not. */
async function sendOnce(
  exporter: Exporter,
  request: ExportRequest,
  signal: AbortSignal,
): Promise<SendResult> {
  const count = request.records.length
  try {
    return resultOf(await exporter.send(request, signal), count)
  } catch (error) {
    // What an aborted request throws is a consequence.
    return signal.aborted
      ? { kind: 'failed', reason: (signal.reason as Error).message }
      : resultOfError(error, count)
  }
}

/** What an attempt to send came to. */
export type SendResult =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number | undefined }
  | { readonly kind: 'refused'; readonly reason: string; readonly indices: ReadonlySet<number> }
  | { readonly kind: 'rejected'; readonly reason: string; readonly count: number }

export function resultOf(sent: Sent, count: number): SendResult {
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
export function resultOfError(error: unknown, count: number): SendResult {
  const reason = errorText(error)
  const permanent = (error as { retryable?: unknown } | undefined)?.retryable === false
  return permanent ? { kind: 'refused', reason, indices: allOf(count) } : { kind: 'failed', reason }
}

function allOf(count: number): ReadonlySet<number> {
  return new Set(Array.from({ length: count }, (_, index) => index))
}
