import { onAbort } from './on-abort.js'

/**
 * What `promise` resolves to, or undefined once `signal` is aborted. Leaves nothing behind on the signal, as
 * racing against one long-lived promise would.
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const done = onAbort(signal, () => resolve(undefined))
    promise.then(resolve, reject).finally(done)
  })
}
