import type { Dispatcher } from 'undici'
import { onAbort } from '../../component/on-abort.js'

/** Headers of an answer, names in lower case. */
export type HttpHeaders = { readonly [name: string]: string | string[] | undefined }

/** Of an answer's body; the rest is not read. */
const MAX_BODY_BYTES = 65_536

/** What a server answered. */
export interface Response {
  readonly status: number
  readonly headers: HttpHeaders
  /** Its beginning, where it is long. */
  readonly body: Buffer
}

/**
 * Undici without the streams of its `request`, which cost as much as the request itself. The answer is read to its end, so that the connection
 * can serve again; a longer, endless or broken body is cut off: the status has been heard, and what is missing changes nothing.
 */
export function dispatched(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<Response> {
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(options, new Exchange(signal, resolve, reject))
  })
}

/** One request and what is heard of its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal
  readonly #resolve: (response: Response) => void
  readonly #reject: (error: Error) => void
  readonly #forget: () => void
  #controller: Dispatcher.DispatchController | undefined
  /** 0: none yet. */
  #status = 0
  #headers: HttpHeaders = {}
  readonly #chunks: Buffer[] = []
  #size = 0

  constructor(signal: AbortSignal, resolve: (response: Response) => void, reject: (error: Error) => void) {
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    this.#forget = onAbort(signal, () => {
      const reason = signal.reason as Error
      this.#controller?.abort(reason)
      this.#fail(reason)
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#signal.aborted) controller.abort(this.#signal.reason as Error)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: HttpHeaders): void {
    // Informational: the answer is still to come.
    if (status < 200) return
    this.#status = status
    this.#headers = headers
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size > MAX_BODY_BYTES) controller.abort(new Error('The body is long enough.'))
  }

  onResponseEnd(): void {
    this.#done()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error)
  }

  #done(): void {
    this.#forget()
    if (this.#status === 0) return
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#headers, body: body.subarray(0, MAX_BODY_BYTES) })
  }

  #fail(error: Error): void {
    this.#done()
    if (this.#status === 0) this.#reject(error)
  }
}
