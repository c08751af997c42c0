export {
  createDeadLetters,
  type DeadLetter,
  type DeadLetterSummary,
  type DeadLetters,
  type DeadLettersOptions,
  type NewDeadLetter,
} from './dead-letters.js'
export { createDelivery } from './delivery.js'
export { dropQueued, hasQueued, queueNamespace } from './left-queue.js'
export { moveQueue } from './move-queue.js'
export { type Handover, settleHandover } from './queued-request.js'
export { sumOf } from './report.js'
export { type CommonConfig, checkCommon, type ExporterFlags, exporterCommon } from './schema.js'
export { type DeliverySettings, deliverySettings } from './settings.js'
export type { Delivery, DeliveryOptions, DeliveryReport, Obligation } from './types.js'
