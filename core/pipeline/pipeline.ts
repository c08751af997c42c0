import { type Observable, Subject, type Subscription } from 'rxjs'
import { type Busy, orAborted, type Records } from '../component/index.js'
import type { Gate } from '../delivery/index.js'
import { type PipelineBatch, timeBatch } from './batch.js'
import { compose, type Sink, type Step } from './compose.js'

export const STOPPING: Busy = { busy: true, retryAfterMs: 1_000, reason: 'stopping' }
export const PIPELINE_FULL: Busy = { busy: true, retryAfterMs: 1_000, reason: 'pipeline_full' }
export const TOO_MANY_UNSETTLED: Busy = { busy: true, retryAfterMs: 1_000, reason: 'too_many_unsettled' }

export interface PipelineOptions {
  /** They complete when nothing more will come. */
  readonly sources: readonly Observable<PipelineBatch>[]
  readonly processors: readonly Step[]
  readonly exporters: readonly Sink[]
  /** Asked before a batch is taken in. */
  readonly admit: readonly ((records: Records) => Busy | undefined)[]
  /** Told when the pipeline may take batches again. */
  readonly gate: Gate
  /** Told when time has come through: nothing with an earlier event time comes out any more. */
  readonly onTime: (watermark: bigint) => void
  readonly onCrash: (error: unknown) => void
}

/** A composed pipeline (or connector) that runs: what may come in, its time, and its end. */
export class Pipeline {
  readonly #time = new Subject<PipelineBatch>()
  readonly #subscription: Subscription
  /** Everything has come out. */
  readonly #empty: Promise<void>
  #stopping = false
  #timeUnderWay = false

  constructor(private readonly options: PipelineOptions) {
    const { sources, processors, exporters, gate, onTime, onCrash } = options
    let empty = (): void => undefined
    this.#empty = new Promise(resolve => {
      empty = resolve
    })
    this.#subscription = compose([...sources, this.#time], processors, exporters, gate).subscribe({
      next: ({ watermark }) => {
        this.#timeUnderWay = false
        if (watermark !== undefined) onTime(watermark)
      },
      error: onCrash,
      complete: () => {
        for (const sink of exporters) sink.end?.()
        empty()
      },
    })
  }

  get full(): boolean {
    return this.options.exporters.some(sink => sink.full)
  }

  /** Whether a processor has a say in `busy`. */
  get asksProcessors(): boolean {
    return this.options.admit.length > 0
  }

  /** Why a batch cannot come in now; undefined when it can. */
  busy(records: Records): Busy | undefined {
    if (this.#stopping) return STOPPING
    if (this.full) return PIPELINE_FULL
    for (const admit of this.options.admit) {
      const busy = admit(records)
      if (busy) return busy
    }
    return undefined
  }

  /** Sends time through the pipeline behind everything that is in it. One at a time, so that none pile up. */
  advance(watermark: bigint): void {
    if (this.#timeUnderWay || this.#stopping) return
    this.#timeUnderWay = true
    this.#time.next(timeBatch(watermark))
  }

  /** Time stands still; resolves when its sources have completed and all that is inside has come out, or at the abort. */
  async close(signal: AbortSignal): Promise<void> {
    this.#stopping = true
    this.options.gate.changed()
    this.#time.complete()
    await orAborted(this.#empty, signal)
    this.#subscription.unsubscribe()
  }
}
