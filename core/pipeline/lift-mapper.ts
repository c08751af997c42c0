import { EMPTY, Observable, type OperatorFunction, of } from 'rxjs'
import type { Mapper, Records } from '../component/index.js'
import type { PipelineBatch } from './batch.js'
import type { BatchFailure } from './failure.js'

/** Makes an RxJS operator of a mapper: one batch after another, in order; a throw dead-letters its batch only. */
export function liftMapper(
  mapper: Mapper,
  fail: BatchFailure,
): OperatorFunction<PipelineBatch, PipelineBatch> {
  // By hand: an inner observable for each batch is most of the cost where hundreds of pipelines drop nearly all.
  return source =>
    new Observable(subscriber => {
      const waiting: PipelineBatch[] = []
      let busy = false
      let ended = false

      const drain = (): void => {
        while (!busy) {
          const batch = waiting.shift()
          if (!batch) break
          run(batch)
        }
        if (!busy && ended) subscriber.complete()
      }
      const pend = (work: Promise<unknown>): void => {
        busy = true
        void work.then(() => {
          busy = false
          drain()
        })
      }
      const emit = (batch: PipelineBatch, records: Records): void => {
        busy = true
        try {
          if (records.length > 0 || batch.watermark !== undefined) subscriber.next(batch.with(records))
          else batch.settle()
        } finally {
          busy = false
        }
      }
      const run = (batch: PipelineBatch): void => {
        if (batch.records.length === 0) {
          emit(batch, batch.records)
          return
        }
        let records: Records
        try {
          const answer = mapper.process(batch.records)
          if (isPromise(answer)) {
            const mapped = answer.then(checked)
            pend(
              mapped.then(
                done => emit(batch, done),
                error => fail(batch, error),
              ),
            )
            return
          }
          records = checked(answer)
        } catch (error) {
          pend(fail(batch, error))
          return
        }
        emit(batch, records)
      }
      return source.subscribe({
        next: batch => {
          waiting.push(batch)
          drain()
        },
        error: error => subscriber.error(error),
        complete: () => {
          ended = true
          drain()
        },
      })
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
