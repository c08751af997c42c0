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
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let start: { readonly status: number; readonly headers: HttpHeaders } | undefined
    const chunks: Buffer[] = []
    let size = 0
    const aborted = (): void => {
      const reason = signal.reason as Error
      controller?.abort(reason)
      fail(reason)
    }
    const forget = onAbort(signal, aborted)
    const done = (): void => {
      forget()
      if (!start) return
      const { status, headers } = start
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
      resolve({ status, headers, body: body.subarray(0, MAX_BODY_BYTES) })
    }
    const fail = (error: Error): void => {
      done()
      if (!start) reject(error)
    }
    dispatcher.dispatch(options, {
      onRequestStart: started => {
        controller = started
        if (signal.aborted) started.abort(signal.reason as Error)
      },
      onResponseStart: (_, status, headers) => {
        // Informational: the answer is still to come.
        if (status >= 200) start = { status, headers }
      },
      onResponseData: (cut, chunk) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > MAX_BODY_BYTES) cut.abort(new Error('The body is long enough.'))
      },
      onResponseEnd: done,
      onResponseError: (_, error) => fail(error),
    })
  })
}
