/** Configuration as in the OpenTelemetry Collector: providers, merging, expansion, validation with positions. */
export { type CommonSchemas, type FactorySource, type LazyFactory, loaded, type Section } from './catalog.js'
export { type ConfigEnvironment, processEnvironment } from './environment.js'
export {
  checkByteSize,
  checkColor,
  checkDuration,
  checkEndpoint,
  checkHttpUrl,
  checkTimeZone,
  type FormatCheck,
  type FormatProblem,
  Formats,
  type LazyChecks,
} from './formats.js'
export { configJsonSchema } from './json-schema.js'
export { type ConfigRequest, type LoadedConfig, loadConfig, loadFactories } from './load.js'
export type { ImportPackage } from './packages.js'
export { printConfig } from './print.js'
export { REDACTED, redactUrl } from './secrets.js'
export { nearest } from './suggest.js'
export type { ComponentConfig, PipelineConfig, ServiceConfig, TelemetryConfig } from './types.js'
