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
export { OtlpLimitError } from './scan.js'
export { sentOfPartial } from './sent.js'
