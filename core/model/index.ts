export { groupRecords, type ResourceGroup, type ScopeGroup } from '../toolkit/otlp/groups.js'
export {
  type DecodeOptions,
  decodeOtlpJson,
  encodeOtlpJson,
  OtlpDecodeError,
  OtlpLimitError,
} from '../toolkit/otlp/json.js'
export * from './any-value.js'
export { PathError } from './fields.js'
export {
  createRecord,
  LazyRecord,
  type LogFields,
  type LogRecord,
  pickFields,
  type RecordInit,
  type Records,
} from './log-record.js'
export { compilePath, type Path, parsePath } from './path.js'
export { type EntityRef, NO_RESOURCE, NO_SCOPE, type Resource, type Scope } from './resource.js'
export { SEVERITY, severityName, severityNumber } from './severity.js'
export { formatInZone, formatRfc3339, isTimeZone, msToNs, nsToMs, parseRfc3339 } from './time.js'
export { zonedToEpochMs, zoneOffsetMs } from './zone.js'
