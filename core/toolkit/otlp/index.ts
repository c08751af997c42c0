/** OTLP: protobuf and JSON in and out, and the answers of servers. */
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
export { inTurns, type Steps } from './turns.js'
