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
export { decodeOtlpProto, type ProtoDecodeOptions, requestIds } from './request.js'
export { MAX_MESSAGES as MAX_OTLP_MESSAGES } from './scan.js'
export { type PartialOptions, sentOfPartial } from './sent.js'
