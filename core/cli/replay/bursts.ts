/** The windows that are looked at, beside a rule's own, ms. */
const WINDOWS_MS = [60_000, 300_000, 900_000, 3_600_000] as const
/** Times that are remembered: of a key, whose higher bursts count as one of this many, and of all keys. */
const MAX_TIMES = 10_000
const MAX_ALL_TIMES = 4_000_000
/** So many matches are left out before room is looked for again. */
const SWEEP_EVERY = 65_536

/** How many matches came together, of one rule and window. */
export interface BurstTally {
  readonly windowMs: number
  /** How many bursts had so many matches within the window at their height. */
  readonly peaks: ReadonlyMap<number, number>
}

/**
 * Matches of a key with no more than a window between each and the next are a burst; its peak is the most that came within one window: a
 * threshold of as many, or of fewer, fires in it. Exact up to the limits above.
 */
export class Bursts {
  readonly #keys = new Map<string, Key>()
  readonly #rules = new Map<string, Map<number, Map<number, number>>>()
  #times = 0
  #newest = Number.NEGATIVE_INFINITY
  /** Matches that found no room. */
  leftOut = 0

  /** `ownMs`: the window that a rule itself has. */
  constructor(private readonly ownMs: (rule: string) => number | undefined) {}

  /** `atMs`: event time; before the newest of its key it counts as of then. */
  match(rule: string, key: string, atMs: number): void {
    if (this.#times >= MAX_ALL_TIMES) {
      if (this.leftOut++ % SWEEP_EVERY === 0) this.#sweep()
      return
    }
    let known = this.#keys.get(key)
    if (!known) {
      const own = this.ownMs(rule)
      const windows = [...new Set(own ? [...WINDOWS_MS, own] : WINDOWS_MS)]
      known = { rule, times: [], dropped: 0, windows: windows.map(ms => ({ ms, from: 0, peak: 0 })) }
      this.#keys.set(key, known)
    }
    const { times, windows } = known
    const last = times.at(-1)
    const at = last === undefined ? atMs : Math.max(last, atMs)
    this.#newest = Math.max(this.#newest, at)
    times.push(at)
    this.#times++
    for (const window of windows) {
      this.#advance(known, window, last, at)
      window.peak = Math.max(window.peak, known.dropped + times.length - window.from)
    }
    const held = Math.max(...windows.map(({ from }) => known.dropped + times.length - from))
    if (times.length > 2 * Math.min(held, MAX_TIMES) + 64) this.#forget(known, Math.min(held, MAX_TIMES))
  }

  /** What came together. Ends all bursts: to be asked when all has come. */
  tallies(rule: string): readonly BurstTally[] {
    for (const known of this.#keys.values()) for (const window of known.windows) this.#end(known.rule, window)
    this.#keys.clear()
    return [...(this.#rules.get(rule) ?? [])].map(([windowMs, peaks]) => ({ windowMs, peaks }))
  }

  /** Leaves behind what is too old at a time. A burst ends when nothing came for a window since the `last`. */
  #advance({ times, dropped, rule }: Key, window: Window, last: number | undefined, at: number): void {
    if (last !== undefined && at - last > window.ms) this.#end(rule, window)
    while (window.from - dropped < times.length && at - (times[window.from - dropped] as number) > window.ms)
      window.from++
  }

  #end(rule: string, window: Window): void {
    if (window.peak === 0) return
    const windows = this.#rules.get(rule) ?? new Map<number, Map<number, number>>()
    this.#rules.set(rule, windows)
    const peaks = windows.get(window.ms) ?? new Map<number, number>()
    windows.set(window.ms, peaks)
    peaks.set(window.peak, (peaks.get(window.peak) ?? 0) + 1)
    window.peak = 0
  }

  /** All but the newest `most` times. */
  #forget(known: Key, most: number): void {
    const gone = known.times.length - most
    known.times.splice(0, gone)
    known.dropped += gone
    this.#times -= gone
    for (const window of known.windows) window.from = Math.max(window.from, known.dropped)
  }

  #sweep(): void {
    for (const [key, known] of this.#keys) {
      for (const window of known.windows) this.#advance(known, window, known.times.at(-1), this.#newest)
      const from = Math.min(...known.windows.map(window => window.from))
      this.#forget(known, known.dropped + known.times.length - from)
      if (known.times.length === 0) this.#keys.delete(key)
    }
  }
}

interface Key {
  readonly rule: string
  /** In order, ms; the first of them is the `dropped`th of the key. */
  readonly times: number[]
  dropped: number
  readonly windows: Window[]
}

interface Window {
  readonly ms: number
  /** The first time that lies within it. */
  from: number
  peak: number
}
