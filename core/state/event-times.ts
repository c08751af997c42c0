import type { LogRecord, Records } from '../model/index.js'

/** Clocks that are nearly right keep their time, and the order of their records. */
export const IN_STEP_NS = 5_000_000_000n

/** A record whose clock is ahead, and by how much. */
export interface AheadRecord {
  readonly record: LogRecord
  /** ns. */
  readonly aheadNs: bigint
}

/**
 * The times that windows and timers run on. A source whose clock runs ahead must outrank nothing real: its records count
 * as happening when they arrive, less the delay that the newest real record came with. So a replay of last year's file
 * stays in last year, and a source that is live stays in the present.
 */
export class EventTimes {
  #newest: bigint | undefined
  /** Between the newest real record and its arrival; negative where that clock is a little ahead. */
  #delayNs = 0n

  constructor(
    readonly source: 'event' | 'observed' | undefined,
    readonly onAhead: (ahead: readonly AheadRecord[]) => void,
  ) {}

  /** The newest event time of a clock that is not ahead; undefined before the first. */
  get newest(): bigint | undefined {
    return this.#newest
  }

  /** One for each record, in order of arrival; `now` and times are ns since the epoch. */
  of(records: Records, now: bigint): readonly bigint[] {
    const own = records.map(record => ownTime(record, this.source))
    if (this.#newest === undefined) {
      // Nothing is known of the source: the first real record to come tells.
      const first = own.find(time => time !== 0n && time - now <= IN_STEP_NS)
      if (first !== undefined) this.#saw(first, now)
    }
    const ahead: AheadRecord[] = []
    const times = own.map((time, at) => {
      if (time === 0n) return now
      if (time - now > IN_STEP_NS) {
        ahead.push({ record: records[at] as LogRecord, aheadNs: time - now })
        return now - this.#delayNs
      }
      this.#saw(time, now)
      return time
    })
    if (ahead.length > 0) this.onAhead(ahead)
    return times
  }

  #saw(time: bigint, now: bigint): void {
    if (this.#newest !== undefined && time <= this.#newest) return
    this.#newest = time
    this.#delayNs = now - time
  }
}

/** What it says itself, ns since the epoch. */
export function ownTime(record: LogRecord, source: 'event' | 'observed' | undefined): bigint {
  return (source === 'observed' && record.observedTimestamp) || record.time
}
