import type { Readable } from 'node:stream'
import { type ComponentStatus, msToNs, nsToMs, type Random } from 'tocsin/component'
import { Batcher } from './batcher.js'
import { HttpError, type Parameters } from './client.js'
import { GapFiller, type GapFillerOptions, TAIL_DELAY_MS } from './gap-filler.js'
import type { Offers } from './offers.js'
import { earlier, type Position } from './position.js'
import { RangeReader } from './range-reader.js'
import { BrokenAnswer, readLines } from './read-lines.js'
import { readAgain } from './tail-group.js'

const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 60_000
const JITTER = 0.1
/** A first tail starts so far before now: VictoriaLogs' own default. */
const FIRST_BACK_MS = 5_000
export const FIRST_OVERLAP_NS = msToNs(FIRST_BACK_MS)
/** A tail that is opened again looks back so far beyond the interruption. */
const TAIL_OVERLAP_MS = 10_000
/** How far behind the present the tail stays: the default until version 1.28, later 5 s. */
const TAIL_OFFSET_MS = 1_000
/** After a shorter interruption the tail is opened first: its overlap has nearly all, reconciling the rest. */
const SHORT_GAP_MS = 30_000

/** The tail's delay, and clocks that count as being in step. */
const SPARE_NS = msToNs(TAIL_OFFSET_MS + 5_000)
const OFFSET = { offset: `${TAIL_OFFSET_MS}ms` }

export interface FollowerOptions extends GapFillerOptions {
  readonly offers: Offers
  /** Where to go on. */
  readonly position: Position
  /** There is no checkpoint: nothing from before now is wanted. */
  readonly fresh: boolean
  /**
   * Opens a tail that others may read too, and that may start earlier than asked; undefined: it has one of its own. `backMs`: how
   * far back it starts, undefined: where the server starts by itself.
   */
  readonly share:
    | ((parameters: Parameters, backMs: number | undefined, signal: AbortSignal) => Promise<Readable>)
    | undefined
}

/**
 * Follows the query in rounds. Each round reads what was missed from `/select/logsql/query`, then opens the tail,
 * which looks back far enough to overlap; repeats are recognised, so an overlap costs nothing. While the tail is
 * open, the recent past is read again from time to time for lines that it skipped.
 */
export class Follower {
  readonly #options: FollowerOptions
  readonly #backOff: BackOff
  readonly #batcher: Batcher
  readonly #gaps: GapFiller
  #fresh: boolean
  /** All was offered up to the position: there is no gap but the one since then. */
  #joined = false
  /** The tail was open in this process and not refused since: whether it would be is known. */
  #accepted = false
  #opened = false
  /** On the monotonic clock; undefined while the tail is not open. */
  #caughtUpFromMs: number | undefined
  #watermark: bigint | undefined
  #status = ''
  /** Rounds in a row in which the tail did not open. */
  #failures = 0

  constructor(options: FollowerOptions) {
    const { context, client, newLines, offers } = options
    this.#options = options
    this.#backOff = new BackOff(context.random)
    this.#batcher = new Batcher(offers, options.position)
    const reader = new RangeReader({ client, query: context.config.query, newLines, offers })
    this.#gaps = new GapFiller(options, this.#batcher, reader)
    // A first position is our clock's, which may be ahead of the source's.
    this.#watermark = options.fresh ? undefined : options.position.completeTo
    this.#fresh = options.fresh
  }

  /** Resolves after an abort. */
  async run(signal: AbortSignal): Promise<void> {
    const { context, metrics } = this.#options
    while (!signal.aborted) {
      const failure = await this.#round(signal)
      const delayMs = this.#afterRound(failure, signal)
      if (failure === undefined && !signal.aborted) metrics.streamEnds(1)
      else if (!signal.aborted) metrics.failuresInARow(++this.#failures)
      metrics.up(0)
      this.#caughtUpFromMs = undefined
      await context.clock.sleep(delayMs, signal)
      if (!signal.aborted) metrics.reconnections(1)
    }
  }

  /** The present less the tail's delay when caught up, else how far the pipelines were given records. */
  watermark(): bigint | undefined {
    const { offers, source, context } = this.#options
    const { clock } = context
    const from = this.#caughtUpFromMs
    const before = this.#watermark
    const current =
      from !== undefined && clock.monotonicMs() >= from && !offers.full && offers.waiting === 0
        ? source.earliest() - msToNs(TAIL_DELAY_MS)
        : (offers.taken?.completeTo ?? before)
    if (current !== undefined && (before === undefined || current > before)) this.#watermark = current
    return this.#watermark
  }

  /** One round: undefined when the tail ended as a stream should, else what went wrong. */
  async #round(signal: AbortSignal): Promise<unknown> {
    const { context, gap } = this.#options
    try {
      const missedNs = context.clock.now() - this.#batcher.position.asOf
      // What the overlap of the tail leaves out is left to reconciling.
      const short = this.#joined && gap.reconcileMs !== undefined && missedNs <= msToNs(SHORT_GAP_MS)
      if (!this.#fresh && !short) {
        this.#joined = false
        if (!this.#accepted) await this.#probe(signal)
        this.#joined = await this.#gaps.fill(signal)
      }
      await this.#tail(short ? this.#gaps.overlapStart() : undefined, signal)
      return undefined
    } catch (error) {
      return error
    }
  }

  /** How long to wait before the next round. */
  #afterRound(failure: unknown, signal: AbortSignal): number {
    if (signal.aborted) return 0
    const lasting = failure instanceof HttpError && failure.lasting
    // What the server breaks off itself, it would break off again at once.
    if (this.#opened && !(failure instanceof BrokenAnswer)) this.#backOff.reset()
    if (lasting) this.#accepted = false
    this.#opened = false
    const delayMs = lasting ? this.#backOff.longest() : this.#backOff.next()
    const reason = failure === undefined ? 'the server ended the stream' : this.#gaps.reasonOf(failure)
    this.#report(lasting ? 'permanent_error' : 'recoverable_error', reason)
    this.#options.context.logger.warn('The tail is down; it is opened again.', {
      reason,
      retry_in_ms: Math.round(delayMs),
    })
    return delayMs
  }

  /** Throws when the tail is refused: then no gap is read for it, since what a query answers may be no log lines. */
  async #probe(signal: AbortSignal): Promise<void> {
    const { client, context } = this.#options
    const parameters = { query: context.config.query, start_offset: '1ms', ...OFFSET }
    const body = await client.tail(parameters, signal)
    body.on('error', () => undefined).destroy()
    this.#accepted = true
  }

  /** Resolves when the stream ends. `reconcileFrom`: what is to be read again at once. */
  async #tail(reconcileFrom: bigint | undefined, signal: AbortSignal): Promise<void> {
    const { context, client, source, seen, offers, metrics, share } = this.#options
    const { clock, config, logger } = context
    const backMs = this.#backMs()
    const start = backMs === undefined ? {} : { start_offset: `${backMs}ms` }
    const parameters = { query: config.query, ...start, ...OFFSET }
    const fresh = this.#fresh
    this.#fresh = false
    const openedMs = clock.monotonicMs()
    const body = await (share ? share(parameters, backMs, signal) : client.tail(parameters, signal))
    // Nothing from before what was asked for is wanted of a tail that starts earlier for another.
    const wantedFrom = share ? source.earliest() - msToNs(backMs ?? FIRST_BACK_MS) - SPARE_NS : 0n
    if (fresh) {
      // Where it begins was taken from our clock.
      this.#batcher.beginAt(source.earliest())
      seen.beginAt(source.earliest() - FIRST_OVERLAP_NS)
    }
    this.#joined = true
    this.#accepted = true
    this.#opened = true
    metrics.up(1)
    metrics.failuresInARow(0)
    this.#failures = 0
    metrics.lastTail(Math.round(nsToMs(clock.now()) / 1_000))
    this.#report('ok')
    logger.info('Tailing VictoriaLogs.', { query: config.query })
    this.#gaps.sayRefusal()
    // A refused query leaves the whole gap to the tail: that it is open does not say that it is read.
    this.#caughtUpFromMs = clock.monotonicMs() + (this.#gaps.refused ? TAIL_DELAY_MS : 0)
    this.#batcher.reach()
    const ended = new AbortController()
    const reconciling = this.#gaps.reconcile(reconcileFrom, AbortSignal.any([signal, ended.signal]))
    try {
      const isAgain = readAgain(body)
      await readLines(body, {
        onRuns: this.#lineSink({ first: fresh, wantedFrom, openedMs, isAgain }),
        full: () => offers.full,
        onRoom: callback => offers.onRoom(callback),
      })
    } finally {
      ended.abort()
      await reconciling
    }
  }

  #lineSink({
    first,
    wantedFrom,
    openedMs,
    isAgain,
  }: LineSinkOptions): (runs: readonly Buffer[], oversized: number) => void {
    const { context, newLines, source, gap, metrics } = this.#options
    let pass = newLines.nextPass()
    // Repeats that cannot be recognised: what the tail looks back to before its start was offered.
    const start =
      first || gap.repeatable || gap.maxAgeMs === undefined ? wantedFrom : this.#batcher.position.completeTo
    let begun = false
    return (runs, oversized) => {
      if (!begun) metrics.tailOpen((context.clock.monotonicMs() - openedMs) / 1_000)
      begun = true
      if (isAgain()) pass = newLines.nextPass()
      if (oversized > 0) newLines.oversized(oversized)
      const { fresh, repeats, newest } = newLines.sift(runs, pass, start)
      if (repeats > 0) metrics.repeats(repeats)
      const added = newLines.records(fresh, pass)
      const now = context.clock.now()
      // A line from the future must not carry the position past those that are still to come.
      const completeTo = earlier(newest, source.earliest())
      this.#batcher.add(added, {
        completeTo,
        asOf: now,
        ...(gap.reconcileMs === undefined && { checkedTo: completeTo }),
      })
    }
  }

  /** How far before the present the tail starts; undefined: where the server starts by itself. */
  #backMs(): number | undefined {
    const { context, gap, source } = this.#options
    if (this.#fresh || gap.maxAgeMs === undefined) return undefined
    const { asOf, completeTo } = this.#batcher.position
    const now = context.clock.now()
    // A gap that could not be read by query is the tail's.
    const from = this.#gaps.refused ? earlier(asOf, completeTo) : asOf
    const missedNs = gap.repeatable ? now - from : source.now() - completeTo
    const backMs = Math.min(gap.maxAgeMs, Math.max(0, nsToMs(missedNs)))
    return backMs + TAIL_OVERLAP_MS
  }

  #report(status: ComponentStatus['status'], message?: string): void {
    const text = `${status} ${message ?? ''}`
    if (text === this.#status) return
    this.#status = text
    this.#options.context.reportStatus({ status, ...(message !== undefined && { message }) })
  }
}

interface LineSinkOptions {
  readonly first: boolean
  readonly wantedFrom: bigint
  readonly openedMs: number
  readonly isAgain: () => boolean
}

/** How long to wait before the next try: 1 s doubling to 60 s, each 10 % more or less. */
class BackOff {
  readonly #random: Random
  #nextMs = FIRST_DELAY_MS

  constructor(random: Random) {
    this.#random = random
  }

  next(): number {
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(LONGEST_DELAY_MS, delayMs * 2)
    return this.#jittered(delayMs)
  }

  /** For what only a person can mend: the longest wait at once. */
  longest(): number {
    this.#nextMs = LONGEST_DELAY_MS
    return this.#jittered(LONGEST_DELAY_MS)
  }

  reset(): void {
    this.#nextMs = FIRST_DELAY_MS
  }

  #jittered(delayMs: number): number {
    return delayMs * (1 - JITTER + 2 * JITTER * this.#random())
  }
}
