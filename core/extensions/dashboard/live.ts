import type { Clock } from 'tocsin/component'
import type { LiveEvents } from './messages.js'

/** What waits for one client; who takes less is cut, and comes again to load everything anew. */
const MAX_WAITING_CHARS = 4_000_000
/** Tells a client, and what is between, that the connection lives. */
const BEAT_MS = 15_000

export interface LiveOptions {
  readonly clock: Clock
  readonly maxClients: number
  /** A client has come or gone. */
  readonly onClients: (clients: number) => void
  /** A client was refused or cut: `too_many`, `slow`. */
  readonly onCut: (reason: string) => void
}

/** Sends events to all that listen. What they are is written once for all of them. */
export class Live {
  readonly #clients = new Set<Client>()

  constructor(private readonly options: LiveOptions) {}

  get clients(): number {
    return this.#clients.size
  }

  /** Undefined when there are too many. Ends when `signal` is aborted. */
  listen(signal: AbortSignal): AsyncIterable<string> | undefined {
    const { clock, maxClients, onClients, onCut } = this.options
    if (this.#clients.size >= maxClients) {
      onCut('too_many')
      return undefined
    }
    const client = new Client()
    this.#clients.add(client)
    onClients(this.#clients.size)
    const beat = (): void => {
      client.add(': \n\n')
      cancel = clock.schedule(BEAT_MS, beat)
    }
    let cancel = clock.schedule(BEAT_MS, beat)
    const end = (): void => {
      if (!this.#clients.delete(client)) return
      cancel()
      client.end()
      onClients(this.#clients.size)
    }
    client.onSlow = () => {
      onCut('slow')
      end()
    }
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
    // It says that the connection stands: what happens from now on will come.
    client.add(textOf('counted', null))
    return client.pieces(end)
  }

  send<E extends keyof LiveEvents>(event: E, data: LiveEvents[E]): void {
    if (this.#clients.size === 0) return
    const text = textOf(event, data)
    for (const client of this.#clients) client.add(text)
  }
}

function textOf<E extends keyof LiveEvents>(event: E, data: LiveEvents[E]): string {
  // JSON has no line breaks of its own.
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

class Client {
  #waiting: string[] = []
  #chars = 0
  #ended = false
  #wake: () => void = () => {}
  onSlow: () => void = () => {}

  add(text: string): void {
    if (this.#ended) return
    this.#waiting.push(text)
    this.#chars += text.length
    if (this.#chars > MAX_WAITING_CHARS) this.onSlow()
    else this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#waiting = []
    this.#wake()
  }

  async *pieces(onEnd: () => void): AsyncGenerator<string> {
    try {
      while (!this.#ended) {
        if (this.#waiting.length === 0)
          await new Promise<void>(resolve => {
            this.#wake = resolve
          })
        const text = this.#waiting.join('')
        this.#waiting = []
        this.#chars = 0
        if (text !== '') yield text
      }
    } finally {
      onEnd()
    }
  }
}
