import {
  concatMap,
  EMPTY,
  from,
  ignoreElements,
  type Observable,
  type OperatorFunction,
  Subject,
  type Subscription,
} from 'rxjs'
import type { Busy, Records } from '../component/index.js'
import type { Gate } from '../delivery/index.js'
import { type PipelineBatch, timeBatch } from './batch.js'

export const STOPPING: Busy = { busy: true, retryAfterMs: 1_000, reason: 'stopping' }
export const PIPELINE_FULL: Busy = { busy: true, retryAfterMs: 1_000, reason: 'pipeline_full' }
export const TOO_MANY_UNSETTLED: Busy = { busy: true, retryAfterMs: 1_000, reason: 'too_many_unsettled' }

/** Where the batches of a pipeline go: an exporter's queue, or through a connector to other pipelines. */
export interface Output {
  /** True while it would have to wait for room: then the pipeline takes nothing new. */
  readonly full: boolean
  /** Takes the batch, or promises to: until the promise resolves the pipeline stands still. Never rejects. */
  take(batch: PipelineBatch): Promise<void> | undefined
}

export interface PipelineOptions {
  readonly id: string
  readonly operators: readonly OperatorFunction<PipelineBatch, PipelineBatch>[]
  readonly outputs: readonly Output[]
  /** Asked before a batch is taken in. */
  readonly admit: readonly ((records: Records) => Busy | undefined)[]
  /** Told when the pipeline may take batches again. */
  readonly gate: Gate
  /** Told when time has come through: nothing with an earlier event time comes out any more. */
  readonly onTime: (watermark: bigint) => void
  readonly onCrash: (error: unknown) => void
}

/** A chain of operators between a head, where batches come in, and outputs. */
export class Pipeline {
  readonly #head = new Subject<PipelineBatch>()
  readonly #subscription: Subscription
  readonly #completed: Promise<void>
  #stopping = false
  #timeUnderWay = false

  constructor(private readonly options: PipelineOptions) {
    const out = options.operators.reduce<Observable<PipelineBatch>>(
      (stream, operator) => stream.pipe(operator),
      this.#head,
    )
    let completed: () => void
    this.#completed = new Promise(resolve => {
      completed = resolve
    })
    this.#subscription = out.pipe(concatMap(batch => this.#hand(batch))).subscribe({
      error: error => options.onCrash(error),
      complete: () => completed(),
    })
  }

  get full(): boolean {
    return this.options.outputs.some(output => output.full)
  }

  get id(): string {
    return this.options.id
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

  push(batch: PipelineBatch): void {
    this.#head.next(batch)
  }

  /** Sends time through the pipeline behind everything that is in it. One at a time, so that none pile up. */
  advance(watermark: bigint): void {
    if (this.#timeUnderWay || this.#stopping) return
    this.#timeUnderWay = true
    this.#head.next(timeBatch(watermark))
  }

  /** Takes nothing more and resolves when all that is inside has come out, or at the abort. */
  async close(signal: AbortSignal): Promise<void> {
    this.#stopping = true
    this.options.gate.changed()
    this.#head.complete()
    await Promise.race([this.#completed, aborted(signal)])
    this.#subscription.unsubscribe()
  }

  #hand(batch: PipelineBatch): Observable<never> {
    const { outputs, gate, onTime } = this.options
    if (batch.watermark !== undefined && batch.records.length === 0) {
      this.#timeUnderWay = false
      onTime(batch.watermark)
      return EMPTY
    }
    const parts = batch.split(outputs.map(() => batch.records))
    const waiting = outputs.flatMap((output, index) => output.take(parts[index] as PipelineBatch) ?? [])
    if (waiting.length === 0) return EMPTY
    return from(Promise.all(waiting).then(() => gate.changed())).pipe(ignoreElements())
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
