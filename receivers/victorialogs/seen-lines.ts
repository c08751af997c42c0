/** A line that was offered: what it is, and its `_time` in ns. */
export interface SeenLine {
  readonly identity: string
  readonly time: bigint
}

interface Entry {
  /** How many equal lines were offered. */
  count: number
  /** The reading that met the line last, and how many equal ones it met. */
  pass: number
  met: number
}

interface Generation {
  readonly entries: Map<string, Entry>
  readonly sinceMs: number
  /** The newest `_time` in it. */
  newest: bigint
}

/**
 * A bounded memory of the lines that were offered, which tells a repeat from an equal line: two equal lines at
 * one `_time` are two records. One *pass* is one reading of the source (a tail connection, a query), in which
 * each stored line comes once; so the nth equal line of a pass is new when fewer than n are remembered.
 *
 * It forgets by generations. What it forgot is no longer told apart; `floor` says up to which time.
 */
export class SeenLines {
  readonly #capacity: number
  readonly #keepMs: number
  #young: Generation
  #old: Generation
  #floor: bigint

  /** Remembers at most `capacity` lines, each for at least `keepMs` while there is room. */
  constructor(capacity: number, keepMs: number, nowMs: number, floor = 0n) {
    this.#capacity = capacity
    this.#keepMs = keepMs
    this.#young = generation(nowMs)
    this.#old = generation(nowMs)
    this.#floor = floor
  }

  /** Lines at or before this time may have been forgotten, ns since the epoch. */
  get floor(): bigint {
    return this.#floor
  }

  /** Before the first line: what comes from after this time on is remembered, ns since the epoch. */
  beginAt(floor: bigint): void {
    if (floor < this.#floor) this.#floor = floor
  }

  get size(): number {
    return this.#young.entries.size + this.#old.entries.size
  }

  /** The number of equal lines offered before when the line is new (from 0); undefined when it is a repeat. */
  admit({ identity, time }: SeenLine, pass: number, nowMs: number): number | undefined {
    const entry = this.#entry(identity)
    if (!entry) {
      this.#add({ identity, time }, { count: 1, pass, met: 1 }, nowMs)
      return 0
    }
    if (entry.pass !== pass) {
      entry.pass = pass
      entry.met = 0
    }
    entry.met++
    if (entry.met <= entry.count) return undefined
    return entry.count++
  }

  /** Takes back in what an earlier process offered and settled. */
  restore(line: SeenLine, nowMs: number): void {
    const entry = this.#entry(line.identity)
    if (entry) entry.count++
    else this.#add(line, { count: 1, pass: 0, met: 0 }, nowMs)
  }

  #entry(identity: string): Entry | undefined {
    return this.#young.entries.get(identity) ?? this.#old.entries.get(identity)
  }

  #add({ identity, time }: SeenLine, entry: Entry, nowMs: number): void {
    const aged = nowMs - this.#young.sinceMs >= this.#keepMs
    if (this.#young.entries.size >= this.#capacity / 2 || (aged && this.#young.entries.size > 0)) {
      if (this.#old.newest > this.#floor) this.#floor = this.#old.newest
      this.#old = this.#young
      this.#young = generation(nowMs)
    }
    this.#young.entries.set(identity, entry)
    if (time > this.#young.newest) this.#young.newest = time
  }
}

function generation(sinceMs: number): Generation {
  return { entries: new Map(), sinceMs, newest: 0n }
}
