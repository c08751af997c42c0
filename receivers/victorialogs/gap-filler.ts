import {
  type Clock,
  type ComponentContext,
  errorText,
  formatRfc3339,
  type Logger,
  msToNs,
  nsToMs,
} from 'tocsin/component'
import type { Batcher } from './batcher.js'
import { type Client, HttpError } from './client.js'
import type { GapOptions, VictoriaLogsConfig } from './config.js'
import type { Metrics } from './metrics.js'
import type { NewLines } from './new-lines.js'
import { earlier, later, type Position } from './position.js'
import type { RangeReader } from './range-reader.js'
import { BrokenAnswer } from './read-lines.js'
import type { SeenLines } from './seen-lines.js'
import type { SourceClock } from './source-clock.js'

/** VictoriaLogs shows a line in the tail some seconds after it came; so far the readings of the past stay behind. */
export const TAIL_DELAY_MS = 10_000
/** While a gap is read the next one opens; one shorter than this is left to the tail's overlap. */
const JOIN_MS = 5_000
const PROGRESS_EVERY_MS = 10_000
const OVERLAP_NS = msToNs(10_000)

/** After so many failing answers in a row, half a minute of them, live lines do not wait any longer for those of the gap. */
const MOST_FAILURES = 5

export interface GapFillerOptions {
  readonly context: ComponentContext<VictoriaLogsConfig>
  readonly client: Client
  readonly source: SourceClock
  readonly seen: SeenLines
  readonly newLines: NewLines
  readonly gap: GapOptions
  readonly metrics: Metrics
}

/** Reads from `/select/logsql/query` what the tail did not bring: after an interruption, and from time to time. */
export class GapFiller {
  readonly #options: GapFillerOptions
  readonly #batcher: Batcher
  readonly #reader: RangeReader
  #failures = 0
  /** Why `/query` does not answer; undefined while it does. */
  #refusal: string | undefined
  #refusalSaid = false
  #reconcileFailing = false
  #shortSaid = false

  constructor(options: GapFillerOptions, batcher: Batcher, reader: RangeReader) {
    this.#options = options
    this.#batcher = batcher
    this.#reader = reader
  }

  /** `/query` answers with an error that stays, or fails again and again: a tail has to look back further instead. */
  get refused(): boolean {
    return this.#refusal !== undefined
  }

  /** The tail is open though the gap is not read. */
  sayRefusal(): void {
    if (this.#refusal === undefined || this.#refusalSaid) return
    this.#refusalSaid = true
    this.#options.context.logger.warn('The gap cannot be read by query; the tail looks back instead.', {
      reason: this.#refusal,
    })
  }

  /** What went wrong, for the log: the server's own words when it said some. */
  reasonOf(error: unknown): string {
    return error instanceof BrokenAnswer ? this.#options.client.shown(error.message) : errorText(error)
  }

  /** Where a reading starts that finds late lines too. */
  overlapStart(): bigint {
    const { context, gap, metrics, seen, source } = this.#options
    const { completeTo, checkedTo } = this.#batcher.position
    const readTo = earlier(earlier(completeTo, checkedTo), source.earliest())
    if (!gap.repeatable) return later(completeTo, seen.floor) + 1n
    const wanted = readTo - msToNs(gap.lookBackMs)
    const start = later(wanted, seen.floor + 1n)
    const reachMs = Math.max(0, nsToMs(readTo - start))
    metrics.lookBack(reachMs / 1_000)
    if (seen.shortFloor > wanted && !this.#shortSaid) {
      this.#shortSaid = true
      context.logger.warn(
        'look_back is not kept: more lines come than can be remembered. Later ones are missed.',
        {
          look_back_s: gap.lookBackMs / 1_000,
          reaches_back_s: Math.round(reachMs / 1_000),
          remembered_lines: seen.size,
        },
      )
    }
    return start
  }

  /**
   * Reads on until so little is missing that the tail's overlap covers it. Throws when trying again may help; false
   * when it cannot.
   */
  async fill(signal: AbortSignal): Promise<boolean> {
    const { client, context, gap, metrics, source } = this.#options
    const { clock } = context
    const answersBefore = client.answers
    if (gap.maxAgeMs === undefined) return true
    // What cannot be recognised must come once: a reading ends where nothing is to come any more, the tail goes on there.
    const behindNs = gap.repeatable ? 0n : msToNs(TAIL_DELAY_MS)
    const present = (): bigint => later(source.latest() - behindNs, this.#batcher.position.completeTo)
    try {
      let from = this.#gapStart(gap.maxAgeMs)
      for (;;) {
        const to = present()
        if (from >= to) break
        await this.#read(from, to, clock.now(), signal)
        // Time went by, or the source showed a clock that is ahead.
        if (present() - to <= msToNs(JOIN_MS)) break
        from = gap.repeatable ? to - OVERLAP_NS : to
      }
      this.#failures = 0
      this.#refusal = undefined
      this.#refusalSaid = false
    } catch (error) {
      if (signal.aborted) throw error
      metrics.queryFailures(1)
      // A source that is down has no tail either.
      this.#failures = client.answers === answersBefore ? 0 : this.#failures + 1
      const lasting = error instanceof HttpError && error.lasting
      if (!lasting && this.#failures < MOST_FAILURES) throw error
      this.#refusal = this.reasonOf(error)
    }
    return !this.refused
  }

  /** Reads the recent past again and again, until an abort; at once from `first` on. That it fails does not hurt the tail. */
  async reconcile(first: bigint | undefined, signal: AbortSignal): Promise<void> {
    const { context, gap, metrics } = this.#options
    if (gap.reconcileMs === undefined) return
    if (first === undefined) await context.clock.sleep(gap.reconcileMs, signal)
    for (let from = first; !signal.aborted; from = undefined) {
      try {
        await this.#readRecentPast(from ?? this.overlapStart(), signal)
        this.#reconcileFailing = false
      } catch (error) {
        if (signal.aborted) return
        metrics.queryFailures(1)
        if (!this.#reconcileFailing) {
          const reason = this.reasonOf(error)
          context.logger.warn('The recent past cannot be read again; lines that the tail skips wait.', {
            reason,
          })
        }
        this.#reconcileFailing = true
      }
      await context.clock.sleep(gap.reconcileMs, signal)
    }
  }

  async #read(from: bigint, to: bigint, now: bigint, signal: AbortSignal): Promise<void> {
    const { context, metrics, newLines, source } = this.#options
    const progress = new Progress({ ...context, from, to, remaining: metrics.backfillRemaining })
    await this.#reader.read(from, to, signal, {
      onRead: (added, end) => {
        // When it breaks off here, what is left of the gap is as old as its end.
        this.#batcher.add(added, end === undefined ? {} : reached(end, source, now - (to - end)))
        if (end !== undefined) this.#failures = 0
        metrics.backfilled(added.records.length, 'gap')
        progress.read(added.records.length, end)
      },
      onOversized: count => newLines.oversized(count),
    })
    progress.done()
  }

  async #readRecentPast(start: bigint, signal: AbortSignal): Promise<void> {
    const { context, metrics, seen, source } = this.#options
    const now = context.clock.now()
    const end = source.now() - msToNs(TAIL_DELAY_MS)
    await this.#reader.read(start, end, signal, {
      onRead: (added, end) => {
        // A long gap that a failing query left is read on from here.
        this.#batcher.add(added, end === undefined ? {} : { checkedTo: earlier(end, source.earliest()) })
        metrics.backfilled(added.records.length, 'reconcile')
      },
      // Counted when the tail or the filling of a gap met it.
      onOversized: () => undefined,
    })
    this.#batcher.reach(reached(end, source, now - msToNs(TAIL_DELAY_MS)))
    metrics.remembered(seen.size)
  }

  /** Where the reading of the gap starts: overlapping what was read, but within `max_age`. */
  #gapStart(maxAgeMs: number): bigint {
    const { context, metrics } = this.#options
    const { completeTo, asOf } = this.#batcher.position
    // Measured on the wall clock, so that sources whose clock runs differently lose nothing.
    const tooLong = context.clock.now() - asOf - msToNs(maxAgeMs)
    if (tooLong <= 0n) return this.overlapStart()
    const bound = completeTo + tooLong
    metrics.skippedSeconds(nsToMs(tooLong) / 1_000)
    context.logger.warn('The gap is longer than backfill.max_age; its start is not read.', {
      not_read_from: formatRfc3339(completeTo),
      not_read_to: formatRfc3339(bound),
    })
    this.#batcher.reach({ completeTo: bound, checkedTo: bound, asOf: asOf + tooLong })
    return later(bound, this.overlapStart())
  }
}

/** The position when all up to `end` was read by query at `asOf`. */
function reached(end: bigint, source: SourceClock, asOf: bigint): Position {
  const completeTo = earlier(end, source.earliest())
  return { completeTo, checkedTo: completeTo, asOf }
}

export interface ProgressOptions {
  readonly logger: Logger
  readonly clock: Clock
  readonly from: bigint
  readonly to: bigint
  readonly remaining: (seconds: number) => void
}

/** Says how far the reading of a gap has come: at its end, and every ten seconds when it takes long. */
export class Progress {
  readonly #options: ProgressOptions
  #records = 0
  #saidMs: number

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#saidMs = options.clock.monotonicMs()
    this.#measure(options.from)
  }

  /** More records were read; `end` when all up to there are. */
  read(records: number, end: bigint | undefined): void {
    this.#records += records
    if (end === undefined) return
    const remainingMs = this.#measure(end)
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#saidMs < PROGRESS_EVERY_MS || remainingMs <= 0) return
    this.#saidMs = nowMs
    this.#options.logger.info('A gap is being filled.', {
      read_to: formatRfc3339(end),
      remaining_s: Math.ceil(remainingMs / 1_000),
      log_records: this.#records,
    })
  }

  done(): void {
    const { logger, from, to } = this.#options
    logger.info('A gap was filled.', {
      from: formatRfc3339(from),
      to: formatRfc3339(to),
      log_records: this.#records,
    })
  }

  #measure(end: bigint): number {
    const remainingMs = Math.max(0, nsToMs(this.#options.to - end))
    this.#options.remaining(remainingMs / 1_000)
    return remainingMs
  }
}
