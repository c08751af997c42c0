import { errorText, type Kind, PermanentError } from '../component/index.js'

/** Which component kept the collector from starting, and why. */
export function startFailed(kind: Kind, id: string, cause: unknown): PermanentError {
  return new PermanentError('start_failed', `The ${kind} ${id} did not start: ${errorText(cause)}`, { cause })
}
