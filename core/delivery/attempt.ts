import type { Clock } from '../component/context.js'
import type { Exporter, ExportRequest } from '../component/exporter.js'
import { type Verdict, verdictOf, verdictOfError } from './send-result.js'

/** An exporter that does not heed its signal is left behind after this. */
const GRACE_MS = 1_000

/** Sends once, within `timeoutMs` (0: no limit) and until `stop` is aborted. Never rejects. */
export async function attempt(
  exporter: Exporter,
  request: ExportRequest,
  {
    timeoutMs,
    clock,
    stop,
  }: { readonly timeoutMs: number; readonly clock: Clock; readonly stop: AbortSignal },
): Promise<Verdict> {
  const count = request.records.length
  const abort = new AbortController()
  const over = new AbortController()
  const cancelled = new Promise<Verdict>(resolve => {
    const cancel = (reason: string): void => {
      abort.abort(new Error(reason))
      void clock.sleep(GRACE_MS, over.signal).then(() => resolve({ kind: 'failed', reason }))
    }
    const stopped = (): void => cancel('The exporter stops.')
    const timedOut = (): void => cancel(`No answer within ${timeoutMs} ms.`)
    const cancelTimer = timeoutMs === 0 ? () => undefined : clock.schedule(timeoutMs, timedOut)
    over.signal.addEventListener('abort', () => {
      cancelTimer()
      stop.removeEventListener('abort', stopped)
    })
    if (stop.aborted) stopped()
    else stop.addEventListener('abort', stopped)
  })
  try {
    const sent = send(exporter, request, abort.signal).then(
      answer => verdictOf(answer, count),
      error =>
        // What an aborted request throws is a consequence.
        abort.signal.aborted
          ? { kind: 'failed' as const, reason: (abort.signal.reason as Error).message }
          : verdictOfError(error, count),
    )
    return await Promise.race([sent, cancelled])
  } finally {
    over.abort()
  }
}

/** Also where `send` throws instead of rejecting. */
async function send(exporter: Exporter, request: ExportRequest, signal: AbortSignal) {
  return exporter.send(request, signal)
}
