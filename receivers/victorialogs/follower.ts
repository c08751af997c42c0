import {
  type ComponentContext,
  type ComponentStatus,
  errorText,
  formatRfc3339,
  msToNs,
  nsToMs,
} from 'tocsin/component'
import type { Admission, Admitted } from './admission.js'
import { BackOff } from './back-off.js'
import { type Client, HttpError, type Parameters } from './client.js'
import type { GapOptions, VictoriaLogsConfig } from './config.js'
import { GapReader } from './gap-reader.js'
import type { Metrics } from './metrics.js'
import type { Offers, Position } from './offers.js'
import { Progress } from './progress.js'
import { readLines } from './read-lines.js'
import type { SeenLines } from './seen-lines.js'

const BATCH_RECORDS = 512
/** VictoriaLogs shows a line in the tail some seconds after it came; so far watermark and reconciling stay behind. */
const TAIL_DELAY_MS = 10_000
/** A tail that is opened again looks back so far beyond the interruption. */
const TAIL_OVERLAP_MS = 10_000
/** While a gap is read the next one opens; one shorter than this is left to the tail's overlap. */
const JOIN_MS = 5_000
/** After a shorter interruption the tail is opened first: its overlap has nearly all, reconciling the rest. */
const SHORT_GAP_MS = 30_000
const NOTHING: Admitted = { records: [], lines: [], bytes: 0, newest: 0n }

export interface FollowerOptions {
  readonly context: ComponentContext<VictoriaLogsConfig>
  readonly client: Client
  readonly offers: Offers
  readonly seen: SeenLines
  readonly admission: Admission
  readonly gap: GapOptions
  readonly metrics: Metrics
  readonly discarded: (reason: string, count: number) => void
  /** Where to go on. */
  readonly position: Position
  /** There is no checkpoint: nothing from before now is wanted. */
  readonly fresh: boolean
}

/**
 * Follows the query in rounds. Each round reads what was missed from `/select/logsql/query`, then opens the tail,
 * which looks back far enough to overlap; repeats are recognised, so an overlap costs nothing. While the tail is
 * open, the recent past is read again from time to time for lines that it skipped.
 */
export class Follower {
  readonly #options: FollowerOptions
  readonly #backOff: BackOff
  readonly #gapReader: GapReader
  #position: Position
  #fresh: boolean
  /** On the monotonic clock; undefined while the tail is not open. */
  #caughtUpFromMs: number | undefined
  #watermark: bigint
  /** `/query` answers with an error that stays: the tail looks back further instead. */
  #queryRefused = false
  /** All was offered up to the position: there is no gap but the one since then. */
  #joined = false
  #reconcileFailing = false
  #status = ''

  constructor(options: FollowerOptions) {
    const { context, client, admission, offers } = options
    this.#options = options
    this.#backOff = new BackOff(context.random)
    this.#position = options.position
    this.#watermark = options.position.completeTo
    this.#fresh = options.fresh
    this.#gapReader = new GapReader({ client, query: context.config.query, admission, offers })
  }

  /** Resolves after an abort. */
  async run(signal: AbortSignal): Promise<void> {
    const { context, metrics } = this.#options
    while (!signal.aborted) {
      const delayMs = this.#afterRound(await this.#round(signal), signal)
      metrics.up(0)
      this.#caughtUpFromMs = undefined
      await context.clock.sleep(delayMs, signal)
      if (!signal.aborted) metrics.reconnections(1)
    }
  }

  /** The wall clock less the tail's delay when caught up, else how far the pipelines were given records. */
  watermark(): bigint {
    const { offers, context } = this.#options
    const { clock } = context
    const from = this.#caughtUpFromMs
    const current =
      from !== undefined && clock.monotonicMs() >= from && !offers.full && offers.waiting === 0
        ? clock.now() - msToNs(TAIL_DELAY_MS)
        : (offers.taken?.completeTo ?? this.#watermark)
    if (current > this.#watermark) this.#watermark = current
    return this.#watermark
  }

  /** One round: undefined when the tail ended as a stream should, else what went wrong. */
  async #round(signal: AbortSignal): Promise<unknown> {
    try {
      const { clock } = this.#options.context
      const short = this.#joined && clock.now() - this.#position.asOf <= msToNs(SHORT_GAP_MS)
      if (!this.#fresh && !short) await this.#fillGap(signal)
      await this.#tail(signal, short)
      return undefined
    } catch (error) {
      return error
    }
  }

  /** How long to wait before the next round. */
  #afterRound(failure: unknown, signal: AbortSignal): number {
    if (signal.aborted) return 0
    const lasting = failure instanceof HttpError && failure.lasting
    const delayMs = lasting ? this.#backOff.longest() : this.#backOff.next()
    const reason = failure === undefined ? 'the server ended the stream' : errorText(failure)
    this.#report(lasting ? 'permanent_error' : 'recoverable_error', reason)
    this.#options.context.logger.warn('The tail is down; it is opened again.', {
      reason,
      retry_in_ms: Math.round(delayMs),
    })
    return delayMs
  }

  async #tail(signal: AbortSignal, reconcileFirst: boolean): Promise<void> {
    const { context, client, offers, admission, metrics, discarded } = this.#options
    const { clock, config, logger } = context
    const parameters = this.#tailParameters()
    this.#fresh = false
    const body = await client.tail(parameters, signal)
    this.#joined = true
    this.#backOff.reset()
    metrics.up(1)
    this.#report('ok')
    logger.info('Tailing VictoriaLogs.', { query: config.query })
    // A refused query leaves the whole gap to the tail: that it is open does not say that it is read.
    this.#caughtUpFromMs = clock.monotonicMs() + (this.#queryRefused ? TAIL_DELAY_MS : 0)
    this.#add(NOTHING, this.#position)
    const pass = admission.nextPass()
    const ended = new AbortController()
    const reconciling = this.#reconcile(reconcileFirst, AbortSignal.any([signal, ended.signal]))
    try {
      await readLines(body, {
        onLines: (lines, oversized) => {
          if (oversized > 0) discarded('oversized', oversized)
          const decoded = admission.decode(lines, pass)
          const admitted = admission.admit(decoded, pass)
          metrics.repeats(decoded.length - admitted.records.length)
          this.#add(admitted, this.#advance(admitted.newest, clock.now()))
        },
        full: () => offers.full,
        onRoom: callback => offers.onRoom(callback),
      })
    } finally {
      ended.abort()
      await reconciling
    }
  }

  #tailParameters(): Parameters {
    const { context, gap } = this.#options
    const { query } = context.config
    if (this.#fresh || gap.maxAgeMs === undefined) return { query }
    const now = context.clock.now()
    const missedMs = nsToMs(now - this.#position.asOf)
    const unreadMs = Math.min(gap.maxAgeMs, nsToMs(now - this.#position.completeTo))
    const backMs = this.#queryRefused ? Math.max(missedMs, unreadMs) : missedMs
    return { query, start_offset: `${Math.max(0, Math.min(backMs, gap.maxAgeMs)) + TAIL_OVERLAP_MS}ms` }
  }

  /** Reads on until so little is missing that the tail's overlap covers it. */
  async #fillGap(signal: AbortSignal): Promise<void> {
    const { context, gap, metrics } = this.#options
    const { clock, logger } = context
    if (gap.maxAgeMs === undefined) return
    this.#joined = false
    try {
      let from = this.#gapStart(gap.maxAgeMs)
      for (;;) {
        const now = clock.now()
        const to = later(now, this.#position.completeTo)
        await this.#readGap(from, to, now, signal)
        if (clock.now() - now <= msToNs(JOIN_MS)) break
        from = to - msToNs(TAIL_OVERLAP_MS)
      }
      this.#queryRefused = false
    } catch (error) {
      if (signal.aborted) throw error
      metrics.queryFailures(1)
      if (!(error instanceof HttpError && error.lasting)) throw error
      if (!this.#queryRefused) {
        logger.warn('The gap cannot be read by query; the tail looks back instead.', {
          reason: error.message,
        })
      }
      this.#queryRefused = true
    }
  }

  async #readGap(from: bigint, to: bigint, now: bigint, signal: AbortSignal): Promise<void> {
    const { context, metrics, discarded } = this.#options
    const progress = new Progress({ ...context, from, to, remaining: metrics.backfillRemaining })
    await this.#gapReader.read(from, to, signal, {
      onRead: (admitted, end) => {
        // What was there when the slice was read is known up to its end; the rest is still as old as that.
        this.#add(admitted, end === undefined ? undefined : this.#advance(end, now - (to - end)))
        metrics.backfilled(admitted.records.length, 'gap')
        progress.read(admitted.records.length, end)
      },
      onOversized: count => discarded('oversized', count),
    })
    progress.done()
  }

  /** Where the reading of the gap starts: before what is complete, by how late lines may be; within `max_age`. */
  #gapStart(maxAgeMs: number): bigint {
    const { context, gap, seen, metrics } = this.#options
    const { completeTo, asOf } = this.#position
    let start = completeTo - msToNs(gap.lookBackMs)
    // Measured on the wall clock, so that sources whose clock runs differently lose nothing.
    const tooLong = context.clock.now() - asOf - msToNs(maxAgeMs)
    if (tooLong > 0n) {
      start = later(start, completeTo + tooLong)
      metrics.skippedSeconds(nsToMs(tooLong) / 1_000)
      context.logger.warn('The gap is longer than backfill.max_age; its start is not read.', {
        not_read_from: formatRfc3339(completeTo),
        not_read_to: formatRfc3339(completeTo + tooLong),
      })
      this.#position = { completeTo: completeTo + tooLong, asOf: asOf + tooLong }
    }
    return later(start, seen.floor + 1n)
  }

  /** Reads the recent past again and again, until an abort. That it fails does not hurt the tail. */
  async #reconcile(atOnce: boolean, signal: AbortSignal): Promise<void> {
    const { context, gap, metrics } = this.#options
    if (gap.reconcileMs === undefined) return
    if (!atOnce) await context.clock.sleep(gap.reconcileMs, signal)
    while (!signal.aborted) {
      try {
        await this.#readRecentPast(signal)
        this.#reconcileFailing = false
      } catch (error) {
        if (signal.aborted) return
        metrics.queryFailures(1)
        if (!this.#reconcileFailing) {
          const reason = errorText(error)
          context.logger.warn('The recent past cannot be read again; lines that the tail skips are missed.', {
            reason,
          })
        }
        this.#reconcileFailing = true
      }
      await context.clock.sleep(gap.reconcileMs, signal)
    }
  }

  async #readRecentPast(signal: AbortSignal): Promise<void> {
    const { context, gap, seen, metrics } = this.#options
    const now = context.clock.now()
    const end = later(now, this.#position.completeTo) - msToNs(TAIL_DELAY_MS)
    const start = later(this.#position.completeTo - msToNs(gap.lookBackMs), seen.floor + 1n)
    await this.#gapReader.read(start, end, signal, {
      onRead: admitted => {
        this.#add(admitted, undefined)
        metrics.backfilled(admitted.records.length, 'reconcile')
      },
      // Counted when the tail or the gap brought it.
      onOversized: () => undefined,
    })
    this.#add(NOTHING, this.#advance(end, now - msToNs(TAIL_DELAY_MS)))
    metrics.remembered(seen.size)
  }

  #add({ records, lines, bytes }: Admitted, position: Position | undefined): void {
    const { offers } = this.#options
    for (let at = 0; at + BATCH_RECORDS < records.length; at += BATCH_RECORDS) {
      const part = records.slice(at, at + BATCH_RECORDS)
      offers.add({ records: part, lines: [], bytes: 0, position: undefined })
    }
    // What is remembered goes with the last part: it holds for all of them only then.
    const last = records.slice(
      records.length === 0 ? 0 : Math.floor((records.length - 1) / BATCH_RECORDS) * BATCH_RECORDS,
    )
    offers.add({ records: last, lines, bytes, position })
  }

  /** Neither the position nor its time goes back. */
  #advance(completeTo: bigint, asOf: bigint): Position {
    this.#position = {
      completeTo: later(this.#position.completeTo, completeTo),
      asOf: later(this.#position.asOf, asOf),
    }
    return this.#position
  }

  #report(status: ComponentStatus['status'], message?: string): void {
    const text = `${status} ${message ?? ''}`
    if (text === this.#status) return
    this.#status = text
    this.#options.context.reportStatus({ status, ...(message !== undefined && { message }) })
  }
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
