import type { Delivery, Gate } from '../delivery/index.js'
import type { PipelineBatch } from './batch.js'
import type { Output, Pipeline } from './pipeline.js'

/** Hands the batches of one pipeline (or connector) on to others; while one of them is full it waits. */
export function pipelineOutput(targets: readonly Pipeline[], gate: Gate): Output {
  const push = (batch: PipelineBatch): void => {
    const parts = batch.split(targets.map(() => batch.records))
    for (const [index, target] of targets.entries()) target.push(parts[index] as PipelineBatch)
  }
  const isFull = (): boolean => targets.some(target => target.full)
  return {
    get full() {
      return isFull()
    },
    take(batch) {
      if (!isFull()) {
        push(batch)
        return undefined
      }
      const wait = async (): Promise<void> => {
        while (isFull()) await gate.wait()
        push(batch)
      }
      return wait()
    },
  }
}

/** Hands the batches of a pipeline to an exporter's queue. */
export function deliveryOutput(delivery: Delivery, pipeline: string): Output {
  return {
    get full() {
      return delivery.full && !delivery.blockOnOverflow
    },
    // A delivery refuses only once it has stopped; then the batch stays with its source.
    take: batch =>
      delivery
        .enqueue(batch.records, pipeline, ({ deadLettered }) => batch.settle(deadLettered))
        .catch(() => undefined),
  }
}
