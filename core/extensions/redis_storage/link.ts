import { Cluster, Redis } from 'ioredis'
import type { Clock } from 'tocsin/component'
import { isCut } from './explain.js'

/** After a connection was lost it is waited for so long: a failover takes about as much. */
const BACK_MS = 3_000

/** Whether there is a connection, or will soon be one again; and the end of what an old one may still bring. */
export class Link {
  readonly #clock: Pick<Clock, 'schedule'>
  readonly #patient: boolean
  #usable = false
  /** Set while a connection that was lost may come back. */
  #back: { readonly settled: Promise<boolean>; settle(usable: boolean): void } | undefined

  constructor(client: Redis | Cluster, clock: Pick<Clock, 'schedule'>) {
    this.#clock = clock
    // A cluster fails to connect while it has no master for a part.
    this.#patient = client instanceof Cluster
    if (client instanceof Redis) endOldConnections(client, new Map())
    else {
      const last = new Map<string, string>()
      client.on('+node', (node: Redis) => endOldConnections(node, last))
    }
    client.on('ready', () => {
      this.#usable = true
      this.#back?.settle(true)
    })
    client.on('close', () => this.#lost())
    client.on('error', error => !this.#patient && !isCut(error) && this.#back?.settle(false))
  }

  get usable(): boolean {
    return this.#usable
  }

  /** A connection was lost and is waited for: what fails meanwhile is no trouble yet. */
  get waits(): boolean {
    return this.#back !== undefined
  }

  /** False when no connection comes soon. */
  async back(): Promise<boolean> {
    return this.#usable || (this.#back?.settled ?? false)
  }

  #lost(): void {
    if (!this.#usable) return
    this.#usable = false
    let resolve: (usable: boolean) => void = () => undefined
    const settled = new Promise<boolean>(done => {
      resolve = done
    })
    // Between timers and this the event loop reads its sockets.
    const cancel = this.#clock.schedule(BACK_MS, () => setImmediate(() => back.settle(false)))
    const back = {
      settled,
      settle: (usable: boolean): void => {
        cancel()
        if (this.#back === back) this.#back = undefined
        resolve(usable)
      },
    }
    this.#back = back
  }
}

/**
 * What was sent on a connection that broke may still be on its way, and arrive after what a new one brings: a write that nobody
 * believes in any more. So a new connection ends the one before, and whatever it has not brought by then is never done.
 * `last`: what the servers called the last connection to each of them.
 */
function endOldConnections(redis: Redis, last: Map<string, string>): void {
  const server = `${redis.options.host}:${redis.options.port}`
  redis.on('ready', () => {
    const before = last.get(server)
    // The number alone may be another's at a server that was restarted.
    const [, id, address] = /^id=(\d+) addr=(\S+)/.exec(before ?? '') ?? []
    if (id && address) redis.call('CLIENT', 'KILL', 'ID', id, 'ADDR', address).catch(() => undefined)
    last.delete(server)
    redis.call('CLIENT', 'INFO').then(
      info => last.set(server, String(info)),
      () => undefined,
    )
  })
}
