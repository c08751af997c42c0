import {
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  mergeMap,
  type Observable,
  type OperatorFunction,
  of,
} from 'rxjs'
import { isTocsinError } from '../component/index.js'
import type { KeyedRuntime } from '../state/runtime.js'
import type { Touched } from '../state/runtime-types.js'
import { isTime, Obligation, PipelineBatch, UNKNOWN_TIME } from './batch.js'
import type { BatchFailure } from './failure.js'
import { passOn } from './lift-mapper.js'

// While a source catches up, timers run as event time moves on, not at every batch.
const CATCH_UP_STEP_NS = 1_000_000_000n

/**
 * Makes an RxJS operator of a keyed processor. Batches and time go through its runtime one after another; what timers
 * decide goes out ahead of the time that ran them, under an obligation of its own.
 *
 * Time is the pipeline's watermark. While the sources do not know one (0n: they catch up, or replay the past) it is the
 * newest event time that came through here (but for those ahead of the clock), so that a replay gives the same answer at any speed.
 */
export function liftKeyed<S, E, O>(
  runtime: KeyedRuntime<S, E, O>,
  fail: BatchFailure,
): OperatorFunction<PipelineBatch, PipelineBatch> {
  let ranUntil = 0n
  let caughtUp = false

  const process = async (batch: PipelineBatch): Promise<Observable<PipelineBatch>> => {
    const { records, touched } = await runtime.process(batch.records, batch.terms)
    if (touched.length > 0) batch.onRelease(() => runtime.release(touched))
    const out = passOn(batch, records)
    const { newest } = runtime
    if (caughtUp || newest === undefined || newest - ranUntil < CATCH_UP_STEP_NS) return out
    return concat(out, of(...(await runTimers(newest))))
  }

  const advance = async (time: PipelineBatch): Promise<Observable<PipelineBatch>> => {
    caughtUp = time.watermark !== UNKNOWN_TIME
    return of(...(await runTimers(caughtUp ? time.watermark : runtime.newest)), time)
  }

  const runTimers = async (until: bigint | undefined): Promise<PipelineBatch[]> => {
    ranUntil = until ?? ranUntil
    const batches: PipelineBatch[] = []
    /** Of slices without records: a later one may tell of them. */
    let held: readonly Touched[] = []
    for (let more = true; more; ) {
      const expired = await runtime.tick(until)
      more = expired.more
      const touched = held.length > 0 ? held.concat(expired.touched) : expired.touched
      held = expired.records.length === 0 ? touched : []
      if (expired.records.length === 0) continue
      // The outcome of a timer has no source to redeliver it: once it is settled it is done with.
      const obligation = new Obligation(() => runtime.release(touched))
      batches.push(new PipelineBatch(expired.records, [obligation]))
    }
    runtime.release(held)
    return batches
  }

  /** What would have run with the next second or tick: where a replay was cut into batches must not matter. */
  const end = async (): Promise<PipelineBatch[]> =>
    caughtUp || runtime.newest === undefined ? [] : runTimers(runtime.newest)

  const run = concatMap((batch: PipelineBatch) => {
    const step = isTime(batch) ? advance : process
    return from(
      step(batch).catch(async error => {
        // The state could not be written until the end: unsettled, the batch stays with its source.
        if (isTocsinError(error) && error.code === 'stopping') return EMPTY
        if (isTocsinError(error) && error.code === 'lease_lost') return giveUp(batch)
        await fail(batch, error)
        return EMPTY
      }),
    ).pipe(mergeMap(out => out))
  })
  // Timers that cannot run now stay stored.
  return batches =>
    concat(batches.pipe(run), defer(() => from(end().catch(() => []))).pipe(mergeMap(out => out)))
}

/**
 * Its source is another collector's. The terms end before it settles, so that nothing of it is acknowledged. Joined with
 * what came in under no lease it stays unsettled, for the sake of that.
 */
function giveUp(batch: PipelineBatch): Observable<never> {
  for (const term of batch.terms) term.end?.()
  if (batch.leased) batch.settle()
  return EMPTY
}
