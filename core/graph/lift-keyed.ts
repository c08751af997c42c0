import { concatMap, EMPTY, from, mergeMap, type Observable, type OperatorFunction, of } from 'rxjs'
import type { KeyedRuntime } from '../state/runtime.js'
import { PipelineBatch } from './batch.js'
import type { BatchFailure } from './failure.js'
import { passOn } from './lift-mapper.js'
import { Obligation } from './obligation.js'

/**
 * Makes an RxJS operator of a keyed processor. Batches and time go through its runtime one after another; what timers
 * decide goes ahead of the time that ran them, under an obligation of its own.
 */
export function liftKeyed<S, E, O>(
  runtime: KeyedRuntime<S, E, O>,
  fail: BatchFailure,
): OperatorFunction<PipelineBatch, PipelineBatch> {
  return concatMap(batch => {
    const time = batch.watermark !== undefined && batch.records.length === 0
    const step = time ? advance(runtime, batch) : process(runtime, batch)
    return from(
      step.catch(async error => {
        await fail(batch, error)
        return EMPTY
      }),
    ).pipe(mergeMap(out => out))
  })
}

async function process<S, E, O>(
  runtime: KeyedRuntime<S, E, O>,
  batch: PipelineBatch,
): Promise<Observable<PipelineBatch>> {
  const { records, touched } = await runtime.process(batch.records)
  if (touched.length > 0) batch.onRelease(() => runtime.release(touched))
  return passOn(batch, records)
}

async function advance<S, E, O>(
  runtime: KeyedRuntime<S, E, O>,
  time: PipelineBatch,
): Promise<Observable<PipelineBatch>> {
  const batches: PipelineBatch[] = []
  for (let more = true; more; ) {
    const expired = await runtime.tick(time.watermark)
    more = expired.more
    if (expired.records.length === 0) {
      runtime.release(expired.touched)
      continue
    }
    // The outcome of a timer has no source to redeliver it: once it is settled it is done with.
    const obligation = new Obligation(() => runtime.release(expired.touched))
    batches.push(new PipelineBatch(expired.records, [obligation]))
  }
  return batches.length === 0 ? of(time) : of(...batches, time)
}
