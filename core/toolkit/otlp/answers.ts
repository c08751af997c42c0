import { OtlpDecodeError } from './errors.js'
import { WireScan } from './scan.js'
import { WireWriter } from './writer.js'

/** The two forms of OTLP over HTTP. */
export type OtlpEncoding = 'proto' | 'json'

/** The codes of google.rpc.Status (and of gRPC) that OTLP speaks of. */
export const RPC_CODE = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const

/** google.rpc.Status; `retryAfterMs` is its RetryInfo. */
export interface RpcStatus {
  readonly code: number
  readonly message: string
  readonly retryAfterMs?: number | undefined
}

/** The partial success of an ExportLogsServiceResponse. A message without rejected records is a warning. */
export interface PartialSuccess {
  readonly rejected: number
  readonly message: string
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'

/** An ExportLogsServiceResponse. */
export function encodeResponse(partial: PartialSuccess | undefined, encoding: OtlpEncoding): Buffer {
  if (encoding === 'json') {
    const partialSuccess = partial && {
      rejectedLogRecords: String(partial.rejected),
      errorMessage: partial.message,
    }
    return Buffer.from(JSON.stringify({ partialSuccess }))
  }
  const writer = new WireWriter(64)
  if (partial) {
    writer.message(1, () => {
      if (partial.rejected) {
        writer.tag(1, 0)
        writer.varint64(BigInt(partial.rejected))
      }
      if (partial.message) writer.text(2, partial.message)
    })
  }
  return writer.bytes()
}

/** The partial success of a response, if it has one. Throws on anything that is no response. */
export function decodeResponse(bytes: Uint8Array, encoding: OtlpEncoding): PartialSuccess | undefined {
  if (encoding === 'json') {
    if (bytes.length === 0) return undefined
    const json = asObject(parseJson(bytes))
    const partial = asObject(json.partialSuccess ?? json.partial_success)
    const rejected = Number(partial.rejectedLogRecords ?? partial.rejected_log_records ?? 0)
    const message = String(partial.errorMessage ?? partial.error_message ?? '')
    return rejected > 0 || message !== ''
      ? { rejected: Number.isFinite(rejected) ? rejected : 0, message }
      : undefined
  }
  let rejected = 0
  let message = ''
  walk(bytes, (scan, tag, end) => {
    if (tag !== 0x0a) return false
    const stop = scan.length(end)
    walkFields(scan, stop, inner => {
      if (inner === 0x08) rejected = scan.varint(stop)
      else if (inner === 0x12) message = text(scan, stop)
      else return false
      return true
    })
    return true
  })
  return rejected > 0 || message !== '' ? { rejected, message } : undefined
}

/** A `google.rpc.Status`, as servers answer errors (OTLP specification, "Failures"). */
export function encodeStatus({ code, message, retryAfterMs }: RpcStatus, encoding: OtlpEncoding): Buffer {
  if (encoding === 'json') {
    const details =
      retryAfterMs === undefined
        ? undefined
        : [{ '@type': RETRY_INFO, retryDelay: `${retryAfterMs / 1000}s` }]
    return Buffer.from(JSON.stringify({ code, message, details }))
  }
  const writer = new WireWriter(128)
  if (code) {
    writer.tag(1, 0)
    writer.varint(code)
  }
  if (message) writer.text(2, message)
  if (retryAfterMs !== undefined) {
    writer.message(3, () => {
      writer.text(1, RETRY_INFO)
      // RetryInfo in Any.value, a Duration in RetryInfo.retry_delay.
      writer.message(2, () =>
        writer.message(1, () => {
          const seconds = Math.floor(retryAfterMs / 1000)
          const nanos = Math.round((retryAfterMs - seconds * 1000) * 1e6)
          if (seconds) {
            writer.tag(1, 0)
            writer.varint64(BigInt(seconds))
          }
          if (nanos) {
            writer.tag(2, 0)
            writer.varint(nanos)
          }
        }),
      )
    })
  }
  return writer.bytes()
}

/** Undefined for anything that is no protobuf Status. */
export function decodeStatus(bytes: Uint8Array, encoding: OtlpEncoding): RpcStatus | undefined {
  try {
    return encoding === 'json' ? jsonStatus(bytes) : protoStatus(bytes)
  } catch {
    return undefined
  }
}

function protoStatus(bytes: Uint8Array): RpcStatus {
  let code = 0
  let message = ''
  let retryAfterMs: number | undefined
  walk(bytes, (scan, tag, end) => {
    if (tag === 0x08) code = scan.varint(end)
    else if (tag === 0x12) message = text(scan, end)
    else if (tag === 0x1a) retryAfterMs = retryDelay(scan, scan.length(end)) ?? retryAfterMs
    else return false
    return true
  })
  return { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

function retryDelay(scan: WireScan, end: number): number | undefined {
  let type = ''
  let seconds = 0
  let nanos = 0
  const duration = (stop: number): void =>
    walkFields(scan, stop, tag => {
      if (tag === 0x08) seconds = scan.varint(stop)
      else if (tag === 0x10) nanos = scan.varint(stop)
      else return false
      return true
    })
  walkFields(scan, end, tag => {
    if (tag === 0x0a) type = text(scan, end)
    else if (tag === 0x12 && type === RETRY_INFO) {
      const stop = scan.length(end)
      walkFields(scan, stop, inner => {
        if (inner !== 0x0a) return false
        duration(scan.length(stop))
        return true
      })
    } else return false
    return true
  })
  return type === RETRY_INFO ? seconds * 1000 + nanos / 1e6 : undefined
}

function jsonStatus(bytes: Uint8Array): RpcStatus {
  const { code, message, details } = asObject(parseJson(bytes))
  const info = (Array.isArray(details) ? details.map(asObject) : []).find(
    each => each['@type'] === RETRY_INFO,
  )
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(info?.retryDelay ?? ''))?.[1]
  return {
    code: typeof code === 'number' ? code : 0,
    message: typeof message === 'string' ? message : '',
    ...(seconds !== undefined && { retryAfterMs: Number(seconds) * 1000 }),
  }
}

function walk(bytes: Uint8Array, take: (scan: WireScan, tag: number, end: number) => boolean): void {
  const scan = new WireScan(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  walkFields(scan, bytes.length, tag => take(scan, tag, bytes.length))
}

function walkFields(scan: WireScan, end: number, take: (tag: number) => boolean): void {
  while (scan.at < end) {
    const tag = scan.tag(end)
    if (!take(tag)) scan.skip(tag, end)
  }
}

function text(scan: WireScan, end: number): string {
  const stop = scan.length(end)
  const found = scan.bytes.toString('utf8', scan.at, stop)
  scan.at = stop
  return found
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    throw new OtlpDecodeError('The answer is not JSON.')
  }
}

function asObject(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null ? (value as { [key: string]: unknown }) : {}
}
