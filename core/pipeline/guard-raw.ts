import { Observable, type OperatorFunction, Subject } from 'rxjs'
import type { RawProcessor } from '../component/index.js'
import { Obligation, PipelineBatch } from './batch.js'
import type { BatchFailure } from './failure.js'

/**
 * Runs a raw operator so that its failure does not end the pipeline: what is inside is dead-lettered, and the
 * operator starts afresh with the next batch.
 */
export function guardRaw(
  { operator }: RawProcessor,
  fail: BatchFailure,
): OperatorFunction<PipelineBatch, PipelineBatch> {
  return source =>
    new Observable(subscriber => {
      const inside = new Map<Obligation, PipelineBatch>()
      const input = new Subject<PipelineBatch>()
      const run = (): void => {
        input.pipe(operator).subscribe({
          next: out => {
            const batch = out as PipelineBatch
            for (const obligation of batch.obligations) inside.delete(obligation)
            subscriber.next(batch)
          },
          error: error => {
            const lost = [...inside.values()]
            inside.clear()
            run()
            for (const batch of lost) void fail(batch, error)
          },
          complete: () => subscriber.complete(),
        })
      }
      run()
      const subscription = source.subscribe({
        next: batch => input.next(batch.records.length > 0 ? enter(batch, inside) : batch),
        error: error => subscriber.error(error),
        complete: () => input.complete(),
      })
      return () => subscription.unsubscribe()
    })
}

/** The batch under an obligation of its own, so that its way through the operator can be followed. */
function enter(batch: PipelineBatch, inside: Map<Obligation, PipelineBatch>): PipelineBatch {
  const own = new Obligation(({ deadLettered }) => {
    inside.delete(own)
    batch.settle(deadLettered)
  })
  batch.onRelease(() => own.release())
  inside.set(own, batch)
  return new PipelineBatch(batch.records, [own], batch.watermark)
}
