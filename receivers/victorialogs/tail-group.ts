import { Readable } from 'node:stream'
import { type Clock, onAbort, RetryableError } from 'tocsin/component'
import { type Client, HttpError, type Parameters } from './client.js'
import { Dealer } from './dealer.js'
import { readLines } from './read-lines.js'
import { linesOf } from './scan-lines.js'
import { anyOf, type WordQuery } from './word-query.js'

/** Proxies take request lines of 8 KiB. */
const MOST_QUERY_BYTES = 6_000
/** A receiver that leaves more than this unread goes on alone: the others must not wait for it. */
const MOST_UNREAD_BYTES = 262_144
/** So much of a query's lines does not wait. */
const MOST_GATHERED_BYTES = 65_536
/** Under load what comes within this time is dealt out at once: a batch costs its receiver more than a line. */
const DEAL_MS = 100
/** A tail that is opened anew for one more query looks back so far for those that read it already. */
const OVERLAP_MS = 10_000
/** Where VictoriaLogs starts a tail by itself. */
const DEFAULT_BACK_MS = 5_000
/** What a proxy or a server says to a query that is too long, or that it cannot read. */
const QUERY_REFUSED = [400, 413, 414, 431]

/**
 * An event of a body, with a number of bytes: what it brings after so many is of another connection, which starts some seconds before the
 * end of the last one.
 */
const READ_AGAIN = 'read_again'

/** What a receiver asks of a tail that others may read too. */
export interface TailRequest {
  readonly words: WordQuery
  readonly client: Client
  /** As it would tail alone. */
  readonly parameters: Parameters
  /** How far back it starts; undefined: where the server starts by itself. */
  readonly backMs: number | undefined
  readonly signal: AbortSignal
}

/** A request that waits for its body. */
export interface Joining {
  readonly request: TailRequest
  readonly resolve: (body: Readable) => void
  readonly reject: (error: unknown) => void
}

/** The server refuses the queries together, which says nothing of each alone. */
export class RefusedTogether extends Error {}

export interface TailGroupOptions {
  readonly clock: Clock
  /** No one reads it any more. */
  readonly onOver: () => void
  /** This receiver did not read what was there for it. */
  readonly onBehind: (request: TailRequest) => void
  /** A line came that none of the queries has by our reading; its `_time`. */
  readonly onDisagreement: (time: string) => void
}

interface Member {
  readonly request: TailRequest
  readonly body: Readable
  /** Bytes, whether they are read or not. */
  handed: number
}

/**
 * Whether what a shared body brings now is the first of another connection: one pass brings each stored line once, two
 * that overlap bring some twice.
 */
export function readAgain(body: Readable): () => boolean {
  const marks: number[] = []
  let begin = 0
  let end = 0
  body.on(READ_AGAIN, (handed: number) => marks.push(handed))
  body.on('data', (chunk: Buffer) => {
    begin = end
    end += chunk.length
  })
  return () => {
    const passed = marks.findLastIndex(mark => mark <= begin) + 1
    return marks.splice(0, passed).length > 0
  }
}

/** One connection for several queries, and who reads which of its lines. */
export class TailGroup {
  readonly #options: TailGroupOptions
  readonly #members = new Set<Member>()
  #connection: AbortController | undefined
  #opening = false
  /** By the text of their query, what members get when the time has come. Undefined: what comes goes on at once. */
  #gathered: Map<string, Gathered> | undefined
  #cancelGathering = (): void => {}

  constructor(options: TailGroupOptions) {
    this.#options = options
  }

  /** A request is under way: who comes now has to wait for it. */
  get opening(): boolean {
    return this.#opening
  }

  /** Whether there is room for one more query, `besides` those that are about to join. */
  takes(words: WordQuery, besides: readonly WordQuery[]): boolean {
    const queries = distinct([...this.#words(), ...besides, words])
    return (
      queries.every(({ stream }) => stream === words.stream) &&
      `${new URLSearchParams({ query: anyOf(queries) })}`.length <= MOST_QUERY_BYTES
    )
  }

  /** Opens the tail anew with these besides. When that fails, those that read it already go on as before. */
  async openFor(joining: readonly Joining[]): Promise<void> {
    const [first] = joining
    if (!first) return
    const queries = distinct([...this.#words(), ...joining.map(({ request }) => request.words)])
    const [reading] = this.#members
    const { client } = reading?.request ?? first.request
    const connection = new AbortController()
    // Its receiver may be closed before the others.
    onAbort(connection.signal, client.lend())
    let body: Readable
    this.#opening = true
    let waiting = joining.length
    // A server may accept and say nothing for ever: nothing is left of it when all have given up.
    const forget = joining.map(({ request }) =>
      onAbort(request.signal, () => {
        if (--waiting === 0) connection.abort()
      }),
    )
    try {
      body = await client.tail(this.#parameters(joining, queries), connection.signal)
    } catch (error) {
      connection.abort()
      const together =
        queries.length > 1 && error instanceof HttpError && QUERY_REFUSED.includes(error.status)
      const reason = together ? new RefusedTogether(error.message) : error
      for (const { reject } of joining) reject(reason)
      this.#opening = false
      this.#endUnread()
      return
    } finally {
      this.#opening = false
      for (const forgetOne of forget) forgetOne()
    }
    this.#connection?.abort()
    this.#connection = connection
    this.#handGathered()
    for (const { body, handed } of this.#members) body.emit(READ_AGAIN, handed)
    for (const { request, resolve } of joining) {
      if (request.signal.aborted) continue
      request.client.learnFrom(client)
      resolve(this.#member(request).body)
    }
    const deal = new Dealer(queries)
    const onRuns = (runs: readonly Buffer[]): void => this.#deal(deal, runs.flatMap(linesOf))
    const current = (): boolean => this.#connection === connection
    readLines(body, { onRuns }).then(
      () => current() && this.#end(undefined),
      error => current() && this.#end(error),
    )
    this.#endUnread()
  }

  /** Breaks the tail off for all that read it. */
  end(reason: string): void {
    this.#end(new RetryableError('shared_tail_ended', reason))
  }

  #words(): readonly WordQuery[] {
    return [...this.#members].map(({ request }) => request.words)
  }

  #parameters(joining: readonly Joining[], queries: readonly WordQuery[]): Parameters {
    const [first] = joining
    const { parameters } = (first as Joining).request
    const backs = joining.map(({ request }) => request.backMs)
    const asDefault = this.#members.size === 0 && backs.every(back => back === undefined)
    const back = Math.max(
      this.#members.size > 0 ? OVERLAP_MS : 0,
      ...backs.map(backMs => backMs ?? DEFAULT_BACK_MS),
    )
    return {
      ...parameters,
      ...(queries.length > 1 && { query: anyOf(queries) }),
      ...(!asDefault && { start_offset: `${back}ms` }),
    }
  }

  #member(request: TailRequest): Member {
    const body = new Readable({ read: () => undefined })
    // It may be over before its reader listens, who then looks at `destroyed`.
    body.on('error', () => undefined)
    const member: Member = { request, body, handed: 0 }
    const forget = onAbort(request.signal, () => body.destroy(request.signal.reason))
    body.once('close', () => {
      forget()
      this.#members.delete(member)
      this.#endUnread()
    })
    this.#members.add(member)
    return member
  }

  #deal(dealer: Dealer, lines: readonly Buffer[]): void {
    const { hands, unclaimed } = dealer.deal(lines)
    for (const [text, hand] of hands) {
      // A copy: the lines are views of what is read next.
      const copy = Buffer.concat(hand)
      const gathered = this.#gathered?.get(text) ?? { parts: [], bytes: 0 }
      gathered.parts.push(copy)
      gathered.bytes += copy.length
      if (this.#gathered && gathered.bytes < MOST_GATHERED_BYTES) this.#gathered.set(text, gathered)
      else {
        this.#gathered?.delete(text)
        this.#hand(text, gathered.parts)
      }
    }
    if (!this.#gathered) this.#gather()
    if (unclaimed !== undefined) this.#options.onDisagreement(unclaimed)
  }

  #gather(): void {
    this.#gathered = new Map()
    this.#cancelGathering = this.#options.clock.schedule(DEAL_MS, () => {
      if (this.#handGathered()) this.#gather()
    })
  }

  /** Whether there was something. */
  #handGathered(): boolean {
    const gathered = this.#gathered ?? new Map<string, Gathered>()
    this.#gathered = undefined
    this.#cancelGathering()
    for (const [text, { parts }] of gathered) this.#hand(text, parts)
    return gathered.size > 0
  }

  #hand(text: string, parts: readonly Buffer[]): void {
    const lines = Buffer.concat(parts)
    for (const member of [...this.#members]) {
      const { request, body } = member
      if (request.words.text !== text || body.destroyed) continue
      body.push(lines)
      member.handed += lines.length
      if (body.readableLength <= MOST_UNREAD_BYTES) continue
      this.#options.onBehind(request)
      const reason = 'it reads too slowly for a tail that others read too, and goes on with one of its own'
      body.destroy(new RetryableError('shared_tail_behind', reason))
    }
  }

  #end(error: Error | undefined): void {
    this.#handGathered()
    this.#connection?.abort()
    this.#connection = undefined
    for (const { body } of [...this.#members]) {
      if (error) body.destroy(error)
      else body.push(null)
    }
    // None joins what is over, and whoever reads the rest of it is no member.
    this.#members.clear()
    this.#endUnread()
  }

  #endUnread(): void {
    if (this.#members.size > 0 || this.#opening) return
    this.#connection?.abort()
    this.#connection = undefined
    this.#options.onOver()
  }
}

interface Gathered {
  readonly parts: Buffer[]
  bytes: number
}

function distinct(queries: readonly WordQuery[]): WordQuery[] {
  return [...new Map(queries.map(query => [query.text, query])).values()]
}
