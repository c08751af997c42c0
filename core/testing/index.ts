/** For tests of components, ours and third parties': `tocsin/testing`. */
export { createBatch } from '../pipeline/batch.js'
export { settleMicrotasks, VirtualClock } from './clock.js'
export type { ConformanceCheck } from './conformance/check.js'
export {
  type ExporterDestination,
  type ExporterSubject,
  exporterConformance,
} from './conformance/exporter.js'
export { factoryConformance } from './conformance/factory.js'
export { keyValueConformance } from './conformance/key-value.js'
export { type ProcessorSubject, processorConformance } from './conformance/processor.js'
export { type ReceiverSource, type ReceiverSubject, receiverConformance } from './conformance/receiver.js'
export {
  type Probe,
  type StateStoreConformanceOptions,
  stateStoreConformance,
} from './conformance/state-store.js'

export {
  collectingLogger,
  type LogEntry,
  type TestContext,
  type TestContextOptions,
  testContext,
} from './context.js'
export {
  type ArrivedRequest,
  type DestinationAnswer,
  type HttpDestination,
  httpDestination,
} from './http-destination.js'
export { type CollectedBatch, type CollectingIntake, collectingIntake } from './intake.js'
export { seededRandom } from './random.js'
export { awkwardRecords, sampleRecord } from './records.js'
export { type PipelineRun, type RunPipelineOptions, runPipeline } from './run-pipeline.js'
