import { Observable, type OperatorFunction } from 'rxjs'
import {
  type Batch,
  type ComponentContext,
  durationMs,
  type LogRecord,
  type RawProcessor,
  type Records,
} from 'tocsin/component'
import type { BatchConfig } from './config.js'
import { sourceKey } from './source-key.js'

type Trigger = 'size' | 'timeout' | 'end'

interface Options {
  readonly size: number
  readonly maxSize: number
  readonly timeoutMs: number
  schedule(delayMs: number, task: () => void): () => void
  /** Called with each batch that is sent on, and with the reason once a flush. */
  sent(records: number): void
  flushed(trigger: Trigger): void
}

export function batch(context: ComponentContext<BatchConfig>): RawProcessor {
  const { config } = context
  const { clock, meter, id, pipeline = '' } = context
  const labels = { processor: id, pipeline }
  const bySize = meter.createCounter('otelcol_processor_batch_batch_size_trigger_send', {
    description: 'Number of times the batch was sent due to a size trigger.',
  })
  const byTime = meter.createCounter('otelcol_processor_batch_timeout_trigger_send', {
    description: 'Number of times the batch was sent due to a timeout trigger.',
  })
  const sizes = meter.createHistogram('otelcol_processor_batch_batch_send_size', {
    description: 'Number of units in the batch.',
    advice: { explicitBucketBoundaries: [10, 50, 100, 250, 500, 1000, 2000, 4000, 8000, 16_000] },
  })
  return {
    operator: batched({
      size: config.send_batch_size,
      maxSize: config.send_batch_max_size,
      timeoutMs: durationMs(config.timeout),
      schedule: (delayMs, task) => clock.schedule(delayMs, task),
      sent: records => sizes.record(records, labels),
      flushed(trigger) {
        if (trigger === 'size') bySize.add(1, labels)
        else if (trigger === 'timeout') byTime.add(1, labels)
      },
    }),
  }
}

/**
 * Gathers batches until there are `size` records or `timeoutMs` have passed since the first one, then sends them on: one
 * batch for each Resource and Scope, since the records of a batch share these.
 *
 * A batch that carries only time waits for the records before it: it says that nothing older comes after it, and must
 * not overtake them. It does not send them on early, since time comes often and batches would stay small; of several
 * that wait the newest says it all.
 */
export function batched(options: Options): OperatorFunction<Batch, Batch> {
  return source =>
    new Observable(subscriber => {
      let waiting: Batch[] = []
      let count = 0
      let time: Batch | undefined
      let cancelTimer: (() => void) | undefined

      function flush(trigger: Trigger): void {
        cancelTimer?.()
        cancelTimer = undefined
        const batches = waiting
        const last = time
        // Sending on may bring in the next batch before it returns.
        waiting = []
        count = 0
        time = undefined
        if (batches.length > 0) {
          options.flushed(trigger)
          for (const group of bySource(batches)) {
            for (const part of cut(group, options.maxSize)) {
              options.sent(part.records.length)
              subscriber.next(part)
            }
          }
        }
        if (last) subscriber.next(last)
      }

      function take(next: Batch): void {
        if (next.records.length === 0) {
          if (next.watermark === undefined) next.settle()
          else if (waiting.length === 0) subscriber.next(next)
          else {
            time?.settle()
            time = next
          }
          return
        }
        if (next.watermark !== undefined) {
          // Its time holds from here on: joined with others it would hold too early or too late.
          flush('size')
          options.sent(next.records.length)
          subscriber.next(next)
          return
        }
        waiting.push(next)
        count += next.records.length
        if (count >= options.size || options.timeoutMs === 0) flush('size')
        else cancelTimer ??= options.schedule(options.timeoutMs, () => flush('timeout'))
      }

      const subscription = source.subscribe({
        next: take,
        error: error => subscriber.error(error),
        complete() {
          flush('end')
          subscriber.complete()
        },
      })
      return () => {
        cancelTimer?.()
        subscription.unsubscribe()
      }
    })
}

/** The batches joined by their Resource and Scope, in order of the first record of each. */
function bySource(batches: readonly Batch[]): readonly Batch[] {
  const groups = new Map<string, Batch[]>()
  for (const batch of batches.flatMap(unmixed)) {
    const key = sourceKey(batch.records[0] as LogRecord)
    const group = groups.get(key)
    if (group) group.push(batch)
    else groups.set(key, [batch])
  }
  return [...groups.values()].map(group => {
    const [first, ...others] = group as [Batch, ...Batch[]]
    return others.length === 0
      ? first
      : first.join(
          others,
          group.flatMap(({ records }) => records),
        )
  })
}

/** Processors before this one may have given the records of one batch several Resources. */
function unmixed(batch: Batch): readonly Batch[] {
  const [first] = batch.records
  if (batch.records.every(record => record.resource === first?.resource && record.scope === first.scope))
    return [batch]
  const parts = new Map<string, LogRecord[]>()
  for (const record of batch.records) {
    const key = sourceKey(record)
    const part = parts.get(key)
    if (part) part.push(record)
    else parts.set(key, [record])
  }
  return parts.size === 1 ? [batch] : batch.split([...parts.values()])
}

function cut(batch: Batch, maxSize: number): readonly Batch[] {
  const { records } = batch
  if (maxSize === 0 || records.length <= maxSize) return [batch]
  const parts: Records[] = []
  for (let at = 0; at < records.length; at += maxSize) parts.push(records.slice(at, at + maxSize))
  return batch.split(parts)
}
