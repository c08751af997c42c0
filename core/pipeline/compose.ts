import {
  concatMap,
  EMPTY,
  from,
  ignoreElements,
  merge,
  type Observable,
  type OperatorFunction,
  of,
} from 'rxjs'
import type { Delivery, Gate } from '../delivery/index.js'
import { isTime, type PipelineBatch } from './batch.js'

/** A processor or a connector, lifted. */
export type Step = OperatorFunction<PipelineBatch, PipelineBatch>

/** Where batches of a pipeline go: an exporter's queue, or the way into another pipeline. */
export interface Sink {
  /** True while it would have to wait for room: then the pipeline takes nothing new. */
  readonly full: boolean
  /** Takes the batch, or promises to: until the promise resolves the pipeline stands still. Never rejects. */
  take(batch: PipelineBatch): Promise<void> | undefined
  /** Nothing more will come. */
  end?(): void
}

/**
 * A pipeline as its user wrote it: what its receivers bring, through its processors, to all of its exporters. What comes
 * out is time: everything that was before it has been handed over.
 */
export function compose(
  sources: readonly Observable<PipelineBatch>[],
  processors: readonly Step[],
  exporters: readonly Sink[],
  gate: Gate,
): Observable<PipelineBatch> {
  return merge(...sources).pipe(...(processors as [Step]), fanOut(exporters, gate))
}

/** Each batch to every sink, one batch after another: while a sink has no room the pipeline stands still. */
function fanOut(sinks: readonly Sink[], gate: Gate): Step {
  return concatMap(batch => {
    if (isTime(batch)) return of(batch)
    const parts = batch.split(sinks.map(() => batch.records))
    const waiting = sinks.flatMap((sink, index) => sink.take(parts[index] as PipelineBatch) ?? [])
    if (waiting.length === 0) return EMPTY
    return from(Promise.all(waiting).then(() => gate.changed())).pipe(ignoreElements())
  })
}

/** An exporter: its queue. A delivery refuses only once it has stopped; then the batch stays with its source. */
export function intoQueue(delivery: Delivery, pipeline: string): Sink {
  return {
    get full() {
      return delivery.full && !delivery.blockOnOverflow
    },
    take: batch =>
      delivery
        .enqueue(batch.records, pipeline, ({ deadLettered }) => batch.settle(deadLettered))
        .catch(() => undefined),
  }
}

/** The way from a pipeline into a connector, or from there into a pipeline: while `isFull` it waits. */
export function into(
  way: { next(batch: PipelineBatch): void; complete(): void },
  isFull: () => boolean,
  gate: Gate,
): Sink {
  const whenFree = async (batch: PipelineBatch): Promise<void> => {
    while (isFull()) await gate.wait()
    way.next(batch)
  }
  return {
    get full() {
      return isFull()
    },
    take: batch => (isFull() ? whenFree(batch) : way.next(batch)) as Promise<void> | undefined,
    end: () => way.complete(),
  }
}
