import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from 'tocsin/component'

export interface Received {
  readonly body: string
  /** Its Idempotency-Key. */
  readonly event: string
  /** Which process sent it: as many as were started before. */
  readonly life: number
  /** The destination has it, whatever it answered. */
  readonly taken: boolean
  /** It answered 200. */
  readonly acknowledged: boolean
}

interface Mood {
  readonly name: string
  readonly taken: boolean
  readonly acknowledged?: boolean
  act(request: IncomingMessage, response: ServerResponse): void
}

const WELL: Mood = {
  name: 'well',
  taken: true,
  acknowledged: true,
  act: (_, response) => void response.end('ok'),
}

const MOODS: readonly Mood[] = [
  { name: 'hang', taken: false, act: () => {} },
  { name: 'answer without end', taken: true, act: (_, response) => void response.write('an answer') },
  { name: 'reset', taken: false, act: request => void request.socket.resetAndDestroy() },
  { name: 'reset after taking', taken: true, act: request => void request.socket.resetAndDestroy() },
  { name: '429', taken: false, act: (_, response) => void response.writeHead(429).end() },
  { name: '500', taken: false, act: (_, response) => void response.writeHead(500).end('trouble') },
  { name: 'half a status line', taken: false, act: request => void request.socket.end('HTTP/1.1 200 O') },
  {
    name: 'lie about length',
    taken: true,
    acknowledged: true,
    act: (_, response) => void response.writeHead(200, { 'content-length': '999' }).end('short'),
  },
]
/** These cost the whole time-out of an attempt. */
const SLOW_MOODS = new Set(['hang', 'answer without end'])

/** A destination that is well until it is told to misbehave. */
export class FaultyDestination {
  readonly received: Received[] = []
  /** Faults by name. */
  readonly faults = new Map<string, number>()
  life = 0
  readonly #random: Random
  readonly #server = createServer((request, response) => this.#handle(request, response))
  #bad = 0
  #slow = 0

  constructor(random: Random) {
    this.#random = random
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** So many of the next requests meet a fault, one or two of them a slow one. */
  misbehave(requests: number): void {
    this.#bad = requests
    this.#slow = 1 + Math.floor(this.#random() * 2)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { life } = this
    const chunks: Buffer[] = []
    request.on('error', () => {}).on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const { name, taken, acknowledged = false, act } = this.#mood()
      if (name !== 'well') this.faults.set(name, (this.faults.get(name) ?? 0) + 1)
      const body = Buffer.concat(chunks).toString()
      const event = String(request.headers['idempotency-key'])
      this.received.push({ body, event, life, taken, acknowledged })
      act(request, response)
    })
  }

  #mood(): Mood {
    if (this.#bad === 0) return WELL
    this.#bad--
    const mood = MOODS[Math.floor(this.#random() * MOODS.length)] as Mood
    if (!SLOW_MOODS.has(mood.name)) return mood
    if (this.#slow === 0) return WELL
    this.#slow--
    return mood
  }
}
