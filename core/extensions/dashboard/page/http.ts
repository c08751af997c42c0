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

const TOKEN = 'tocsin.token'

/** For authenticators that browsers do not know; gone with the tab. */
export function setToken(token: string): void {
  sessionStorage.setItem(TOKEN, token)
}

/** Paths are relative to the page, so that it works below any prefix of a proxy. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask(path, { headers: headers(), ...(signal && { signal }) })).json() as Promise<T>
}

export async function send<T>(method: 'POST' | 'DELETE', path: string, body: unknown = {}): Promise<T> {
  const response = await ask(path, {
    method,
    headers: { ...headers(), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return response.json() as Promise<T>
}

/** Reads server-sent events until the connection ends or `signal` is aborted. (EventSource cannot send a token.) */
export async function listen(
  path: string,
  signal: AbortSignal,
  on: (event: string, data: string) => void,
): Promise<void> {
  const response = await ask(path, { headers: headers(), signal })
  if (!response.body) return
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
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
