import { type Clock, type Logger, msToNs, nsToMs } from 'tocsin/component'
import { earlier, later } from './position.js'

const SECOND_NS = msToNs(1_000)
/** What is less is covered by the overlaps of all readings. */
const IN_STEP_NS = msToNs(5_000)
/** An answer that took longer says too little of when its `Date` was written. */
const LONGEST_REQUEST_NS = msToNs(10_000)

/**
 * What the source takes for now, by the `Date` of its answers. Lines bear times of its clock: looked for by ours, a
 * gap would be missed where the two are far apart. As a proxy may have written the `Date`, neither clock is trusted
 * alone: positions stay behind both, and the filling of a gap reaches up to both.
 */
export class SourceClock {
  readonly #clock: Clock
  readonly #logger: Logger
  #aheadNs = 0n

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  now(): bigint {
    return this.#clock.now() + this.#aheadNs
  }

  earliest(): bigint {
    return earlier(this.#clock.now(), this.now())
  }

  latest(): bigint {
    return later(this.#clock.now(), this.now())
  }

  /** Takes the `Date` of an answer to a request that left at `asked`, ns since the epoch by our clock. */
  learn(date: string | string[] | undefined, asked: bigint): void {
    const ms = typeof date === 'string' ? Date.parse(date) : Number.NaN
    const answered = this.#clock.now()
    if (Number.isNaN(ms) || answered < asked || answered - asked > LONGEST_REQUEST_NS) return
    // It has whole seconds and was written at some time between the two: the least difference that explains it.
    const shown = msToNs(ms)
    const least = shown - answered
    const most = shown + SECOND_NS - asked
    const aheadNs = least > IN_STEP_NS ? least : most < -IN_STEP_NS ? most : 0n
    if (aheadNs !== 0n && this.#aheadNs === 0n) {
      this.#logger.warn('The clocks of VictoriaLogs and of this collector are apart.', {
        victorialogs_ahead_s: Math.round(nsToMs(aheadNs) / 1_000),
      })
    }
    this.#aheadNs = aheadNs
  }
}
