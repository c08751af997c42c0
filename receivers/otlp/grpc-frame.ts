import { type Failure, failure } from './failure.js'
import { compressionOf, ENCODINGS } from './http-head.js'
import type { Compression } from './inflate.js'

/** Before each message: a byte that says whether it is compressed, and its length, big-endian. */
export const PREFIX_BYTES = 5

export interface Frame {
  readonly message: Buffer
  readonly compression: Compression | undefined
}

/** Refuses a message that announces too much, or a second one, as soon as that shows. */
export function inspectFrame(chunks: readonly Buffer[], size: number, limit: number): Failure | undefined {
  if (size < PREFIX_BYTES) return undefined
  const first = chunks[0] as Buffer
  const prefix = first.length >= PREFIX_BYTES ? first : Buffer.concat(chunks.slice(0, PREFIX_BYTES))
  const length = prefix.readUInt32BE(1)
  if (length > limit) return failure('too_large', `The message is larger than ${limit} bytes.`)
  if (size > PREFIX_BYTES + length)
    return failure('bad_framing', 'The request has more than one message: Export takes one.')
  return undefined
}

/** The one message of a request. */
export function readFrame(bytes: Buffer, encodingHeader: string | undefined): Frame | Failure {
  if (bytes.length < PREFIX_BYTES) return failure('bad_framing', 'The request has no message.')
  if (bytes.length !== PREFIX_BYTES + bytes.readUInt32BE(1))
    return failure('bad_framing', 'The message is cut off.')
  const message = bytes.subarray(PREFIX_BYTES)
  if (bytes[0] === 0) return { message, compression: undefined }
  const compression = compressionOf(encodingHeader)
  if (compression === 'unknown' || compression === undefined) {
    return compression === undefined
      ? failure('bad_framing', 'The message is compressed, but grpc-encoding does not say how.')
      : failure('unsupported_encoding', `The grpc-encoding must be ${ENCODINGS} or identity.`)
  }
  return { message, compression }
}

/** An uncompressed message with its prefix. */
export function frameOf(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  message.copy(frame, PREFIX_BYTES)
  return frame
}

/** A text for the grpc-message header: UTF-8, percent-encoded. */
export function grpcMessage(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, part =>
    [...Buffer.from(part)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
