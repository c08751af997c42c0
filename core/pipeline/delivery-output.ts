import type { Delivery } from '../delivery/index.js'
import type { Output } from './pipeline.js'

/** Hands the batches of a pipeline to an exporter's queue. */
export function deliveryOutput(delivery: Delivery, pipeline: string): Output {
  return {
    get full() {
      return delivery.full && !delivery.blockOnOverflow
    },
    // A delivery refuses only once it has stopped; then the batch stays with its source.
    take: batch =>
      delivery
        .enqueue(batch.records, pipeline, { settle: outcome => batch.settle(outcome?.deadLettered) })
        .catch(() => undefined),
  }
}
