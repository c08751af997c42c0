import { defer, map, Observable, type OperatorFunction, Subject, Subscription } from 'rxjs'
import type { RawProcessor } from '../component/index.js'
import { isTime, Obligation, PipelineBatch } from './batch.js'
import type { BatchFailure } from './failure.js'
import { RESTART_MS, type Restarts } from './restarts.js'

/**
 * Runs a raw operator so that its failure does not end the pipeline. One that fails on batches loses these to the dead
 * letters and starts afresh at once. One that fails with none inside, or ends by itself, broke down: it starts again after
 * 5 s, and what comes meanwhile waits, as much as receivers may have unsettled.
 */
export function guardRaw(
  { operator }: RawProcessor,
  fail: BatchFailure,
  { clock, down, starting, up }: Restarts,
): OperatorFunction<PipelineBatch, PipelineBatch> {
  return source =>
    new Observable(subscriber => {
      const inside = new Map<Obligation, PipelineBatch>()
      /** What the operator does with these any more does not count. */
      const forgotten = new WeakSet<Obligation>()
      const input = new Subject<PipelineBatch>()
      let running = new Subscription()
      let time: PipelineBatch | undefined
      let ended = false
      /** What came while it is down. */
      let held: PipelineBatch[] | undefined
      let cancel = (): void => {}

      const run = (): void => {
        running = defer(() => input.pipe(operator, map(checked))).subscribe({
          next: batch => {
            for (const obligation of batch.obligations) inside.delete(obligation)
            if (batch.watermark !== undefined) time = undefined
            subscriber.next(batch)
          },
          error: broke,
          complete: () => {
            if (ended) subscriber.complete()
            else broke(new Error('The operator ended before its input did'))
          },
        })
      }
      const broke = (error: unknown): void => {
        const lost = [...inside.values()]
        for (const obligation of inside.keys()) forgotten.add(obligation)
        inside.clear()
        const passed = time
        time = undefined
        if (lost.length > 0) run()
        else if (ended) subscriber.complete()
        else {
          held = []
          down(error)
          cancel = clock.schedule(RESTART_MS, restart)
        }
        for (const batch of lost) void fail(batch, error)
        if (passed) subscriber.next(passed)
      }
      const restart = (): void => {
        const waiting = held ?? []
        held = undefined
        starting()
        run()
        for (const batch of waiting) take(batch)
        if (!held && !running.closed) up()
      }
      const take = (batch: PipelineBatch): void => {
        if (held) held.push(batch)
        else {
          if (isTime(batch)) time = batch
          input.next(batch.records.length > 0 ? enter(batch, inside, forgotten) : batch)
        }
      }
      run()
      const subscription = source.subscribe({
        next: take,
        error: error => subscriber.error(error),
        complete: () => {
          ended = true
          cancel()
          if (held) restart()
          input.complete()
        },
      })
      return () => {
        cancel()
        subscription.unsubscribe()
        running.unsubscribe()
      }
    })
}

/** An operator without types may emit anything; its author should read what. */
function checked(out: unknown): PipelineBatch {
  if (out instanceof PipelineBatch) return out
  throw new TypeError(`The operator emitted ${out === null ? 'null' : typeof out}, not a batch`)
}

/** The batch under an obligation of its own, with its terms, so that its way through the operator can be followed. */
function enter(
  batch: PipelineBatch,
  inside: Map<Obligation, PipelineBatch>,
  forgotten: WeakSet<Obligation>,
): PipelineBatch {
  const own = new Obligation(
    ({ deadLettered }) => {
      if (forgotten.has(own)) return
      inside.delete(own)
      batch.settle(deadLettered)
    },
    batch.terms,
    batch.leased,
  )
  batch.onRelease(() => own.release())
  inside.set(own, batch)
  return new PipelineBatch(batch.records, [own], batch.watermark)
}
