export {
  createDeadLetters,
  type DeadLetter,
  type DeadLetters,
  type DeadLettersOptions,
  type NewDeadLetter,
} from './dead-letters.js'
export { createDelivery } from './delivery.js'
export { Gate } from './gate.js'
export { dropQueued, hasQueued, moveQueue, queueNamespace } from './left-queue.js'
export { type Handover, type Settle, settleHandover } from './queued-request.js'
export { type DeliveryReport, sumOf } from './report.js'
export { type CommonConfig, checkCommon, type ExporterFlags, exporterCommon } from './schema.js'
export { type DeliverySettings, deliverySettings } from './settings.js'
export type { Delivery, DeliveryOptions, QueueWatch } from './types.js'
