/** For tests of components, ours and third parties': `tocsin/testing`. */
export { settleMicrotasks, VirtualClock } from './clock.js'
export {
  collectingLogger,
  type LogEntry,
  type TestContext,
  type TestContextOptions,
  testContext,
} from './context.js'
export { type CollectedBatch, type CollectingIntake, collectingIntake } from './intake.js'
export { seededRandom } from './random.js'
