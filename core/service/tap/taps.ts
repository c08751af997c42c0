import type { Clock, LogRecord, Random, Records } from '../../component/index.js'

/** What somebody wants to see of a point. */
export interface TapRequest {
  readonly condition?: (record: LogRecord) => boolean
  /** The share of records that is shown, 0 to 1. */
  readonly sample: number
  /** Records a second, at most. */
  readonly rate: number
}

/** Who looks on. */
export interface TapListener {
  /** `pipeline`: where the record is, for a component of several. */
  record(record: LogRecord, pipeline: string | undefined): void
  /** Records that were not shown since: above the rate, left out by the sample, or on which the condition failed. */
  skipped(count: { readonly rate: number; readonly failed: number }): void
}

interface Tap {
  readonly request: TapRequest
  readonly listener: TapListener
  /** Records that may still be shown in this second. */
  left: number
  over: number
  failed: number
  cancel: () => void
}

/**
 * The points of the pipelines where somebody may look on. While nobody does, a batch costs the test of one number; a tap
 * whose rate is used up costs a batch no more than that.
 */
export class Taps {
  #points: ReadonlySet<string> = new Set()
  readonly #taps = new Map<string, Set<Tap>>()

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Names of what runs, in order. */
  get points(): readonly string[] {
    return [...this.#points]
  }

  /** Whether somebody looks on. */
  get looked(): boolean {
    return this.#taps.size > 0
  }

  /** Of a graph that is about to run. Who looks at a point that is gone sees nothing until it is back. */
  set(points: readonly string[]): void {
    this.#points = new Set(points)
  }

  /** The answer stops it. */
  open(point: string, request: TapRequest, listener: TapListener): () => void {
    const tap: Tap = { request, listener, left: request.rate, over: 0, failed: 0, cancel: () => {} }
    const renew = (): void => {
      tap.cancel = this.clock.schedule(1_000, () => {
        if (tap.over > 0 || tap.failed > 0) listener.skipped({ rate: tap.over, failed: tap.failed })
        tap.left = request.rate
        tap.over = 0
        tap.failed = 0
        renew()
      })
    }
    renew()
    const here = this.#taps.get(point) ?? new Set()
    this.#taps.set(point, here.add(tap))
    return () => {
      tap.cancel()
      here.delete(tap)
      if (here.size === 0 && this.#taps.get(point) === here) this.#taps.delete(point)
    }
  }

  /** A batch at a point. */
  look(point: string, records: Records, pipeline?: string): void {
    if (this.#taps.size === 0) return
    for (const tap of this.#taps.get(point) ?? []) this.#show(tap, records, pipeline)
  }

  #show(tap: Tap, records: Records, pipeline: string | undefined): void {
    const { request, listener } = tap
    const { condition, sample } = request
    for (const [at, record] of records.entries()) {
      if (tap.left === 0) {
        // With a condition it is not known how many of them it would have shown.
        tap.over += records.length - at
        return
      }
      if (sample < 1 && this.random() >= sample) continue
      try {
        if (condition && !condition(record)) continue
      } catch {
        tap.failed++
        continue
      }
      tap.left--
      listener.record(record, pipeline)
    }
  }
}
