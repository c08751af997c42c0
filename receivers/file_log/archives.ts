import type { Clock } from 'tocsin/component'
import type { OpenedFile } from './opened-file.js'

/** A compressed file that is not whole is being written, unless it did not change for so long. */
export const UNFINISHED_IDLE_MS = 5_000
/** One that is always written to is not waited for longer than this. */
const MOST_WAIT_MS = 60_000
/** What was last written longer ago is read as it is. */
const RECENT_NS = 60_000_000_000n

interface Seen {
  readonly version: string
  readonly firstMs: number
  readonly sinceMs: number
  /** Of this version. */
  unpacked?: Unpacked
}

type Unpacked = Awaited<ReturnType<OpenedFile['unpacked']>>

/** What is to be done with a compressed file that was found; with how much of it can be read when it is no whole one. */
export type Readiness = 'take' | 'wait' | Unpacked

/** Compressed files that may still be written: what they hold cannot be told from a copy of what was read before they are whole. */
export class Archives {
  readonly #clock: Clock
  #seen = new Map<string, Seen>()
  #before = new Map<string, Seen>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A look at the disk begins: what it does not find is forgotten. */
  begin(): void {
    this.#before = this.#seen
    this.#seen = new Map()
  }

  async readiness(found: OpenedFile, key: string, version: string): Promise<Readiness> {
    if (this.#clock.now() - found.mtimeNs > RECENT_NS) return 'take'
    const before = this.#before.get(key)
    const nowMs = this.#clock.monotonicMs()
    const isSame = before?.version === version
    const seen: Seen = isSame ? before : { version, firstMs: before?.firstMs ?? nowMs, sinceMs: nowMs }
    this.#seen.set(key, seen)
    // What changes from look to look is not unpacked each time.
    if (before && !isSame && nowMs - seen.firstMs < MOST_WAIT_MS) return 'wait'
    seen.unpacked ??= await found.unpacked()
    if (seen.unpacked.end === 'whole') return 'take'
    const isOver = nowMs - seen.sinceMs >= UNFINISHED_IDLE_MS || nowMs - seen.firstMs >= MOST_WAIT_MS
    return isOver ? seen.unpacked : 'wait'
  }
}
