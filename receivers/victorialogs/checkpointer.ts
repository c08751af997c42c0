import { type Clock, errorText, type Logger, type Settled } from 'tocsin/component'
import type { CheckpointStore } from './checkpoint-store.js'
import type { Offer } from './offers.js'
import { earlier, type Position } from './position.js'

const INTERVAL_MS = 1_000

export interface CheckpointerOptions {
  readonly checkpoint: CheckpointStore
  readonly clock: Clock
  readonly logger: Logger
  /** Writes at once when so many records wait for their checkpoint. */
  readonly maxRecords: number
  /** The oldest line that is not settled. */
  readonly oldestUnsettled: () => bigint | undefined
  /** Forgets the lines that a start from this position does not read again: up to which time. */
  readonly forget: (position: Position) => bigint
  /** Records became settled but not durable (more), or durable (less). */
  readonly onHeld: (change: number) => void
}

/** Makes settled offers durable, once a second and in order, and then releases them. */
export class Checkpointer {
  readonly #options: CheckpointerOptions
  /** As `KeptLines` has them. */
  #lines: Buffer[] = []
  #releases: Settled[] = []
  #records = 0
  #position: Position | undefined
  #dirty = false
  #cancel: (() => void) | undefined
  #writing: Promise<void> | undefined
  #failing = false
  #closed = false

  constructor(options: CheckpointerOptions, position: Position | undefined) {
    this.#options = options
    this.#position = position
  }

  /** Takes settled offers in order. */
  add({ records, lines, position }: Offer, settled: Settled | undefined): void {
    // What settles after the last write is read again.
    if (this.#closed) return
    if (lines) this.#lines.push(lines.bytes)
    if (settled) this.#releases.push(settled)
    if (position) this.#position = position
    this.#records += records.length
    this.#dirty = true
    this.#options.onHeld(records.length)
    if (this.#records >= this.#options.maxRecords && !this.#failing) void this.#flush()
    else this.#schedule()
  }

  /** Writes what is left. Nothing is written after it. */
  async close(): Promise<void> {
    this.#cancel?.()
    await this.#writing
    await this.#flush()
    this.#closed = true
    this.#cancel?.()
  }

  #schedule(): void {
    this.#cancel ??= this.#options.clock.schedule(INTERVAL_MS, () => {
      this.#cancel = undefined
      void this.#flush()
    })
  }

  #flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
      if (this.#dirty) this.#schedule()
    })
    return this.#writing
  }

  async #write(): Promise<void> {
    const { checkpoint, oldestUnsettled, forget, onHeld, logger } = this.#options
    const position = this.#position
    if (!this.#dirty || !position) return
    const lines = this.#lines
    const releases = this.#releases
    const records = this.#records
    this.#lines = []
    this.#releases = []
    this.#records = 0
    this.#dirty = false
    const oldest = oldestUnsettled() ?? position.completeTo
    const durable: Position = {
      completeTo: earlier(position.completeTo, oldest),
      checkedTo: earlier(position.checkedTo, oldest),
      asOf: position.asOf,
    }
    try {
      await checkpoint.save(Buffer.concat(lines), durable, forget(durable))
    } catch (error) {
      this.#lines = [...lines, ...this.#lines]
      this.#releases = [...releases, ...this.#releases]
      this.#records += records
      this.#dirty = true
      if (!this.#failing) {
        logger.error('The checkpoint could not be written; reading stops when too much waits for it.', {
          error: errorText(error),
        })
      }
      this.#failing = true
      return
    }
    if (this.#failing) logger.info('The checkpoint is written again.')
    this.#failing = false
    for (const settled of releases) settled.release()
    onHeld(-records)
  }
}
