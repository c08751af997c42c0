import type { Batch, Records, Settled, Term } from '../component/index.js'
import { failpoint } from '../failpoints.js'

/**
 * The promise that a batch, once admitted, settles. It counts how many parts of the batch are still on their way;
 * a fan-out adds parts, the end of each takes one away. When none is left the source is told.
 */
export class Obligation {
  #open = 1
  #deadLettered = 0
  #released = false
  #releaseHooks: (() => void)[] = []

  constructor(
    private readonly onSettled: (settled: Settled) => void,
    /** Of the leases that let this collector have the records. */
    readonly terms: readonly Term[] = [],
    /** All of them came in under a lease. */
    readonly leased = terms.length > 0,
  ) {}

  add(parts: number): void {
    this.#open += parts
  }

  done(deadLettered = 0): void {
    if (this.#open === 0)
      throw new Error('A batch was settled twice: a raw operator must settle each batch once.')
    this.#deadLettered += deadLettered
    this.#open--
    if (this.#open === 0) {
      this.onSettled({ deadLettered: this.#deadLettered, release: () => this.release() })
    }
  }

  /** Runs once the source will not deliver these records again. */
  onRelease(hook: () => void): void {
    if (this.#released) hook()
    else this.#releaseHooks.push(hook)
  }

  release(): void {
    failpoint('after_checkpoint')
    this.#released = true
    const hooks = this.#releaseHooks
    this.#releaseHooks = []
    for (const hook of hooks) hook()
  }
}

/** Records on their way through a pipeline, with the obligations (usually one) that they fulfil. */
export class PipelineBatch implements Batch {
  constructor(
    readonly records: Records,
    readonly obligations: readonly Obligation[],
    readonly watermark?: bigint | undefined,
  ) {}

  with(records: Records): PipelineBatch {
    return new PipelineBatch(records, this.obligations, this.watermark)
  }

  split(parts: readonly Records[]): readonly PipelineBatch[] {
    if (parts.length === 0) {
      this.settle()
      return []
    }
    for (const obligation of this.obligations) obligation.add(parts.length - 1)
    return parts.map(records => this.with(records))
  }

  join(others: readonly Batch[], records: Records): PipelineBatch {
    const obligations = others.flatMap(other => (other as PipelineBatch).obligations)
    return new PipelineBatch(records, [...this.obligations, ...obligations], this.watermark)
  }

  settle(deadLettered = 0): void {
    for (const [index, obligation] of this.obligations.entries()) {
      // Which of several sources a dead-lettered record came from is not known any more.
      obligation.done(index === 0 ? deadLettered : 0)
    }
  }

  get terms(): readonly Term[] {
    return this.obligations.flatMap(({ terms }) => terms)
  }

  /** Who reads all of these records again when their terms are over. */
  get leased(): boolean {
    return this.obligations.every(({ leased }) => leased)
  }

  /** Runs `hook` once every source of this batch released it. */
  onRelease(hook: () => void): void {
    const sources = new Set(this.obligations)
    let open = sources.size
    for (const source of sources) {
      source.onRelease(() => {
        open--
        if (open === 0) hook()
      })
    }
  }
}

/** The watermark while the sources do not know one: they catch up, or replay the past. */
export const UNKNOWN_TIME = 0n

/** Carries only time: no record with an earlier event time comes after it. Settling it means nothing. */
export function timeBatch(watermark: bigint): PipelineBatch {
  return new PipelineBatch([], [], watermark)
}

/** Whether a batch carries only time. */
export function isTime(batch: PipelineBatch): boolean {
  return batch.watermark !== undefined && batch.records.length === 0
}

/** For tests of raw operators: a batch that tells when it is settled. */
export function createBatch(
  records: Records,
  { onSettled = () => {}, watermark }: { onSettled?: () => void; watermark?: bigint | undefined } = {},
): Batch {
  return new PipelineBatch(records, [new Obligation(onSettled)], watermark)
}
