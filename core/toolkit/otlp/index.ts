/** OTLP: protobuf and JSON in and out, and the answers of servers. */

export { inSlices, type Steps } from '../../component/in-slices.js'
export {
  decodeResponse,
  decodeStatus,
  encodeResponse,
  encodeStatus,
  type OtlpEncoding,
  type PartialSuccess,
  RPC_CODE,
  type RpcStatus,
} from './answers.js'
export { MAX_BATCH } from './batch-size.js'
export { encodeOtlpProto, encodeOtlpProtoSteps } from './encode.js'
export { OtlpDecodeError, OtlpLimitError } from './errors.js'
export { groupRecords, type ResourceGroup, type ScopeGroup } from './groups.js'
export {
  type DecodeOptions,
  decodeOtlpJson,
  encodeOtlpJson,
  encodeOtlpJsonSteps,
  otlpJsonBatches,
  otlpJsonSteps,
} from './json.js'
export { MAX_VALUES as MAX_OTLP_VALUES } from './limit-values.js'
export { decodeOtlpProto, otlpProtoSteps, type ProtoDecodeOptions } from './request.js'
export { requestIdSteps, requestIds } from './request-ids.js'
export { MAX_MESSAGES as MAX_OTLP_MESSAGES } from './scan.js'
export { type PartialOptions, sentOfPartial } from './sent.js'
export { unzstd, zstd } from './zstd.js'
