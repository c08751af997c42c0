/** Configuration as in the OpenTelemetry Collector: providers, merging, expansion, validation with positions. */
export { type CommonSchemas, type FactorySource, type LazyFactory, loaded, type Section } from './catalog.js'
export { type CheckedValue, checkValue } from './check-value.js'
export { type ConfigEnvironment, processEnvironment } from './environment.js'
export { expand } from './expand.js'
export {
  checkByteSize,
  checkColor,
  checkDuration,
  checkEndpoint,
  checkHttpUrl,
  checkTimeZone,
  type FormatCheck,
  type FormatCheckers,
  type FormatProblem,
  Formats,
  type LazyChecks,
} from './formats.js'
export { configJsonSchema } from './json-schema.js'
export { type ConfigRequest, type LoadedConfig, loadConfig, loadFactories } from './load.js'
export {
  type Entry,
  emptyMap,
  type ListNode,
  locate,
  type MapNode,
  type Node,
  type Path,
  problemAt,
  toValue,
} from './node.js'
export type { ImportPackage } from './packages.js'
export { printConfig } from './print.js'
export type { ConfigProvider, LoadedSource } from './providers.js'
export { readDocument } from './read.js'
export { REDACTED, redactUrl } from './secrets.js'
export { type Place, textSource } from './source.js'
export { nearest } from './suggest.js'
export type { ComponentConfig, PipelineConfig, ServiceConfig, TelemetryConfig } from './types.js'
export { Validator, validatorFor } from './validator.js'
export { parseYaml } from './yaml.js'
