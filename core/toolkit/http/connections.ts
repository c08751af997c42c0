import type { Client, Dispatcher } from 'undici'
import { dispatched, type Response } from './dispatch.js'

interface Connection {
  readonly client: Client
  /** Requests that it was given and has not answered. */
  busy: number
}

/**
 * The connections to one origin. The first that is free takes a request: what is sent one after another goes over one connection. Undici's
 * pools take another one while the last answer is being put away, and look the origin up each time.
 */
export class Connections {
  readonly #most: number
  readonly #create: () => Client
  readonly #all: Connection[] = []
  #closed = false
  #open = 0

  constructor(most: number, create: () => Client) {
    this.#most = most
    this.#create = create
  }

  /** How many are connected. */
  get open(): number {
    return this.#open
  }

  async send(options: Dispatcher.DispatchOptions, signal: AbortSignal): Promise<Response> {
    const connection = this.#free()
    connection.busy++
    try {
      return await dispatched(connection.client, options, signal)
    } finally {
      connection.busy--
    }
  }

  /** Waits for what is on its way. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#all.map(({ client }) => client.close()))
  }

  async destroy(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#all.map(({ client }) => client.destroy()))
  }

  #free(): Connection {
    let best: Connection | undefined
    for (const connection of this.#all) {
      if (connection.busy === 0) return connection
      if (!best || connection.busy < best.busy) best = connection
    }
    return best && this.#all.length >= this.#most ? best : this.#add()
  }

  #add(): Connection {
    const client = this.#create()
    // It refuses what it is given.
    if (this.#closed) void client.destroy()
    client.on('connect', () => this.#open++)
    client.on('disconnect', () => this.#open--)
    const connection = { client, busy: 0 }
    this.#all.push(connection)
    return connection
  }
}
