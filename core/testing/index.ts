/** For tests of components, ours and third parties': `tocsin/testing`. */
export { settleMicrotasks, VirtualClock } from './clock.js'
export type { ConformanceCheck } from './conformance/check.js'
export { keyValueConformance } from './conformance/key-value.js'
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
export { type CollectedBatch, type CollectingIntake, collectingIntake } from './intake.js'
export { seededRandom } from './random.js'
