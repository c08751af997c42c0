/** For distributions and for programs that run a collector themselves: `tocsin`. */

export type { Distribution } from './cli/distribution.js'
export { type CommandIo, processIo } from './cli/io.js'
export { main } from './cli/main.js'
export {
  type Collector,
  type CollectorLogger,
  type CollectorOptions,
  type CollectorReport,
  createCollector,
} from './collector.js'
export * from './component/index.js'
export type { FactorySource, LazyFactory } from './config/index.js'
