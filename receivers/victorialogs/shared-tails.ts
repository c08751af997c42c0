import type { Readable } from 'node:stream'
import { type Clock, type Logger, onAbort } from 'tocsin/component'
import type { Client } from './client.js'
import { type Joining, RefusedTogether, TailGroup, type TailRequest } from './tail-group.js'

/** Those that join within this time are told to the server at once. */
const GATHER_MS = 250
const MOST_GATHER_MS = 2_000
/** None came for so long. */
const CALM_MS = 10_000
/** Who looks back further has a connection of its own, or all others would read that too. */
const MOST_BACK_MS = 60_000

/**
 * The tails of one source that several receivers read together. A receiver hands in its query and gets a body as though it had a
 * connection of its own: the lines that its query proves. What cannot be proved here comes with the reading of the recent past,
 * which the server does for each query alone. Where sharing goes wrong, each receiver has its own tail from then on.
 */
export class SharedTails {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #groups = new Set<TailGroup>()
  /** They were too slow for a shared tail: their next one is their own. */
  readonly #slow = new WeakSet<Client>()
  #waiting: Joining[] = []
  #gathering = false
  #gatherMs = GATHER_MS
  #openedMs = Number.NEGATIVE_INFINITY
  #apart = false

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** Throws what `Client.tail` does. */
  async tail(request: TailRequest): Promise<Readable> {
    const { client, parameters, backMs = 0, signal } = request
    const slow = this.#slow.delete(client)
    if (this.#apart || slow || backMs > MOST_BACK_MS) return client.tail(parameters, signal)
    try {
      const body = await this.#join(request)
      // Its events may be over before anyone listens.
      if (body.destroyed) throw body.errored ?? new Error('the shared tail ended as it began')
      return body
    } catch (error) {
      if (!(error instanceof RefusedTogether)) throw error
      this.#separate('The queries are refused together.', { reason: error.message })
      return client.tail(parameters, signal)
    }
  }

  #join(request: TailRequest): Promise<Readable> {
    return new Promise((resolve, reject) => {
      const forget = onAbort(request.signal, () => reject(request.signal.reason))
      this.#waiting.push({
        request,
        resolve: body => {
          forget()
          resolve(body)
        },
        reject: error => {
          forget()
          reject(error)
        },
      })
      this.#gather()
    })
  }

  /** Longer and longer while one comes after another, as after an outage: each time the tail is opened anew for all. */
  #gather(): void {
    if (this.#gathering) return
    this.#gathering = true
    const calm = this.#clock.monotonicMs() - this.#openedMs > CALM_MS
    this.#gatherMs = calm ? GATHER_MS : Math.min(MOST_GATHER_MS, this.#gatherMs * 2)
    this.#clock.schedule(this.#gatherMs, () => {
      this.#gathering = false
      this.#openedMs = this.#clock.monotonicMs()
      this.#assign()
    })
  }

  #assign(): void {
    const assigned = new Map<TailGroup, Joining[]>()
    for (const joining of this.#waiting.splice(0)) {
      const { words, signal } = joining.request
      if (signal.aborted) continue
      const fits = (group: TailGroup): boolean =>
        group.takes(words, assigned.get(group)?.map(({ request }) => request.words) ?? [])
      const group = [...this.#groups].find(fits) ?? this.#newGroup()
      if (group.opening) this.#waiting.push(joining)
      else assigned.set(group, [...(assigned.get(group) ?? []), joining])
    }
    for (const [group, joining] of assigned) {
      void group.openFor(joining).finally(() => {
        if (this.#waiting.length > 0) this.#gather()
      })
    }
  }

  #newGroup(): TailGroup {
    const group: TailGroup = new TailGroup({
      clock: this.#clock,
      onOver: () => this.#groups.delete(group),
      onBehind: ({ client }) => this.#slow.add(client),
      onDisagreement: time => {
        const reason = 'VictoriaLogs sent a line that none of the queries has by our reading.'
        this.#separate(reason, { line_time: time })
        for (const each of [...this.#groups]) each.end(reason)
      },
    })
    this.#groups.add(group)
    return group
  }

  #separate(why: string, attributes: { readonly [name: string]: string }): void {
    if (this.#apart) return
    this.#apart = true
    const then = 'Until a reload, receivers of this source share no tail: each has a connection of its own.'
    this.#logger.warn(`${why} ${then}`, attributes)
  }
}
