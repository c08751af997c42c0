import { randomUUID } from 'node:crypto'
import type { Clock, Random } from '../../component/context.js'
import { errorText } from '../../component/errors.js'
import type { LeaseStore } from '../../component/storage.js'

/** From getting a lease to losing it. */
export interface LeaseTerm {
  readonly token: number
  /** Aborted when the lease is lost or given up. */
  readonly signal: AbortSignal
  /** False as soon as another may have it, also where the process slept and no timer ran yet. */
  held(): boolean
  /** Gives it up, for whoever hears that a later one has begun. */
  end(): void
}

export interface LeaseKeeperOptions {
  readonly clock: Clock
  readonly random: Random
  onHeld?(term: LeaseTerm): void
  onLost?(term: LeaseTerm): void
  /** The storage cannot be reached (why), or can again. */
  onTrouble?(error: Error | undefined): void
}

/** The holder stops before the storage forgets it: that much of the time to live is for what its stop takes. */
const SAFE = 0.9
const MOST_WAIT_MS = 1_000

/**
 * Takes a lease when it is free and prolongs it as long as it can. Without an answer in time the lease counts as
 * lost before it is free for others, by this process's own monotonic clock, which started to count earlier.
 */
export class LeaseKeeper {
  readonly #store: LeaseStore
  readonly #options: LeaseKeeperOptions
  readonly #closed = new AbortController()
  // Not from the injected randomness: two collectors with one seed must not be one holder.
  #holder: string = randomUUID()
  #term: { readonly term: LeaseTerm; readonly abort: AbortController } | undefined
  /** The storage may count this holder as the one that has it, also where the answer came too late for a term. */
  #granted = false
  #untilMs = 0
  #pausedUntilMs = 0
  #cancelDeadline: () => void = () => undefined
  #running: Promise<void> | undefined
  #first: Promise<boolean> | undefined
  #troubled = false

  constructor(store: LeaseStore, options: LeaseKeeperOptions) {
    this.#store = store
    this.#options = options
  }

  get term(): LeaseTerm | undefined {
    return this.#term?.term.held() ? this.#term.term : undefined
  }

  /** Resolves after the first attempt: true when it has the lease. Goes on until `close`. */
  start(): Promise<boolean> {
    this.#first ??= this.#attempt().then(waitMs => {
      this.#running = this.#run(waitMs)
      return this.term !== undefined
    })
    return this.#first
  }

  /** Gives the lease up for another to have at once. */
  async close(): Promise<void> {
    this.#closed.abort()
    await this.#first
    await this.#running
    this.#end()
    // One that cannot be given up runs out by itself.
    if (this.#granted) await this.#store.free(this.#holder).catch(() => undefined)
  }

  /** For a holder that cannot do its work: lets another have the lease, and asks again only after this time. */
  async giveUp(pauseMs: number): Promise<void> {
    this.#pausedUntilMs = this.#options.clock.monotonicMs() + pauseMs
    const holder = this.#holder
    this.#end()
    this.#renewHolder()
    await this.#store.free(holder).catch(() => undefined)
  }

  async #run(firstWaitMs: number): Promise<void> {
    for (let waitMs = firstWaitMs; ; waitMs = await this.#attempt()) {
      await this.#options.clock.sleep(waitMs, this.#closed.signal)
      if (this.#closed.signal.aborted) return
    }
  }

  /** Answers how long to wait until the next. */
  async #attempt(): Promise<number> {
    const { clock, random } = this.#options
    const askedMs = clock.monotonicMs()
    if (askedMs < this.#pausedUntilMs) return this.#pausedUntilMs - askedMs
    const { ttlMs } = this.#store
    const holder = this.#holder
    try {
      const answer = await this.#store.take(holder)
      this.#trouble(undefined)
      // Lost or given up meanwhile: what this answer took runs out by itself.
      if (holder !== this.#holder) return ttlMs / 10
      this.#granted = answer.held
      if (answer.held) {
        this.#prolong(answer.token, askedMs + ttlMs * SAFE)
        return ttlMs / 3
      }
      this.#end()
      return Math.min(answer.freeInMs + 5, MOST_WAIT_MS, ttlMs / 3) * (1 + 0.1 * random())
    } catch (error) {
      this.#trouble(error instanceof Error ? error : new Error(errorText(error)))
      return (ttlMs / 10) * (0.5 + random())
    }
  }

  #prolong(token: number, untilMs: number): void {
    const { clock } = this.#options
    // The storage forgot the lease and gave it to this holder anew; or the term ran out and no timer has run yet: who
    // has seen that must not see it held again.
    if (this.#term && (this.#term.term.token !== token || !this.#term.term.held())) this.#endTerm()
    // The answer may have come too late to be of use.
    if (clock.monotonicMs() >= untilMs) return
    // Nor does a keeper that is being closed begin anew: the term that ran out meanwhile had the same token.
    if (!this.#term && this.#closed.signal.aborted) return
    this.#untilMs = untilMs
    this.#cancelDeadline()
    this.#cancelDeadline = clock.schedule(untilMs - clock.monotonicMs(), () => this.#end())
    if (this.#term) return
    const abort = new AbortController()
    const held = (): boolean => !abort.signal.aborted && clock.monotonicMs() < this.#untilMs
    const end = (): void => {
      if (this.#term?.abort === abort) void this.giveUp(0)
    }
    const term: LeaseTerm = { token, signal: abort.signal, held, end }
    this.#term = { term, abort }
    this.#options.onHeld?.(term)
  }

  #end(): void {
    if (this.#term && !this.#closed.signal.aborted) this.#renewHolder()
    this.#endTerm()
  }

  #endTerm(): void {
    this.#cancelDeadline()
    const ended = this.#term
    if (!ended) return
    this.#term = undefined
    ended.abort.abort()
    this.#options.onLost?.(ended.term)
  }

  /** Another term is another holder: what the last one still has under way is not taken for the next one's. */
  #renewHolder(): void {
    this.#holder = randomUUID()
    this.#granted = false
  }

  #trouble(error: Error | undefined): void {
    if (!error && !this.#troubled) return
    this.#troubled = error !== undefined
    this.#options.onTrouble?.(error)
  }
}
