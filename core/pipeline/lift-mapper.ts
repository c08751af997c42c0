import { concatMap, EMPTY, from, mergeMap, type Observable, type OperatorFunction, of } from 'rxjs'
import type { Mapper, Records } from '../component/index.js'
import type { PipelineBatch } from './batch.js'
import type { BatchFailure } from './failure.js'

/** Makes an RxJS operator of a mapper: one batch after another, in order; a throw dead-letters its batch only. */
export function liftMapper(
  mapper: Mapper,
  fail: BatchFailure,
): OperatorFunction<PipelineBatch, PipelineBatch> {
  return concatMap(batch => {
    if (batch.records.length === 0) return of(batch)
    try {
      const records = mapper.process(batch.records)
      if (!isPromise(records)) return passOn(batch, checked(records))
      return from(
        records
          .then(async mapped => passOn(batch, checked(mapped)))
          .catch(async error => {
            await fail(batch, error)
            return EMPTY
          }),
      ).pipe(mergeMap(out => out))
    } catch (error) {
      return from(fail(batch, error)).pipe(mergeMap(() => EMPTY))
    }
  })
}

function isPromise(answer: Records | Promise<Records>): answer is Promise<Records> {
  return typeof (answer as Promise<Records> | undefined)?.then === 'function'
}

/** A mapper without types may answer anything; its author should read what. */
function checked(answer: Records): Records {
  if (Array.isArray(answer)) return answer
  throw new TypeError(
    `process() answered ${answer === null ? 'null' : typeof answer}, not an array of records`,
  )
}

/** A batch without records is settled here: nothing will come of it. */
export function passOn(batch: PipelineBatch, records: Records): Observable<PipelineBatch> {
  if (records.length > 0 || batch.watermark !== undefined) return of(batch.with(records))
  batch.settle()
  return EMPTY
}
