import type { Refusal } from '../messages.js'

/** An answer that is no success. `status` 0: the collector could not be reached. */
export class RequestFailed extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

/** The collector says something at least every 15 s. */
const SILENT_MS = 40_000
const LATE_MS = 60_000
const TOKEN = 'tocsin.token'

/** For authenticators that browsers do not know; gone with the tab. What comes along when one pastes is no part of it. */
export function setToken(token: string): void {
  // With such signs no request could be made, and nobody would ask for the token again.
  sessionStorage.setItem(TOKEN, token.replace(/[^\x21-\x7e\xa1-\xff]/g, ''))
}

/** Paths are relative to the page, so that it works below any prefix of a proxy. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const { own, release } = boundTo(signal)
  const late = setTimeout(() => own.abort(), LATE_MS)
  try {
    return (await (await ask(path, { headers: headers(), signal: own.signal })).json()) as T
  } finally {
    clearTimeout(late)
    release()
  }
}

export async function send<T>(method: 'POST' | 'DELETE', path: string, body: unknown = {}): Promise<T> {
  const response = await ask(path, {
    method,
    headers: { ...headers(), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return response.json() as Promise<T>
}

/**
 * Reads server-sent events until the connection ends, is silent for too long, or `signal` is aborted. (EventSource cannot send a
 * token, and nobody tells it that a connection died while the computer slept.)
 */
export async function listen(
  path: string,
  signal: AbortSignal,
  on: (event: string, data: string) => void,
  silentMs = SILENT_MS,
): Promise<void> {
  const { own, release } = boundTo(signal)
  let heardAt = Date.now()
  const watch = setInterval(() => {
    if (Date.now() - heardAt > silentMs) own.abort()
  }, silentMs / 8)
  try {
    const response = await ask(path, { headers: headers(), signal: own.signal })
    if (!response.body) return
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heardAt = Date.now()
      const blocks = (rest + value).split('\n\n')
      rest = blocks.pop() as string
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map(line => [line.split(':', 1)[0], line.replace(/^\w*: ?/, '')]),
        )
        const event = fields.get('event')
        if (event !== undefined) on(event, fields.get('data') ?? '')
      }
    }
  } finally {
    clearInterval(watch)
    release()
  }
}

/** Aborted with `signal`, or by itself. (`AbortSignal.any` is younger than the browsers that the page is built for.) */
function boundTo(signal: AbortSignal | undefined): { own: AbortController; release: () => void } {
  const own = new AbortController()
  const abort = (): void => own.abort()
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort)
  return { own, release: () => signal?.removeEventListener('abort', abort) }
}

function headers(): { [name: string]: string } {
  const token = sessionStorage.getItem(TOKEN)
  return token ? { authorization: `Bearer ${token}` } : {}
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { ...init, cache: 'no-store' }).catch((error: unknown) => {
    if (init.signal?.aborted) throw error
    throw new RequestFailed(0, String(error))
  })
  if (response.ok) return response
  const { error } = (await response.json().catch(() => ({ error: response.statusText }))) as Refusal
  throw new RequestFailed(response.status, error)
}
