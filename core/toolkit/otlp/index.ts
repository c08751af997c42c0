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
export { encodeOtlpProto } from './encode.js'
export { OtlpDecodeError, OtlpLimitError } from './errors.js'
export { groupRecords, type ResourceGroup, type ScopeGroup } from './groups.js'
export { type DecodeOptions, decodeOtlpJson, encodeOtlpJson, otlpJsonSteps } from './json.js'
export { decodeOtlpProto, MAX_BATCH, otlpProtoSteps, type ProtoDecodeOptions, requestIds } from './request.js'
export { MAX_MESSAGES as MAX_OTLP_MESSAGES } from './scan.js'
export { type PartialOptions, sentOfPartial } from './sent.js'
export { unzstd, zstd } from './zstd.js'
