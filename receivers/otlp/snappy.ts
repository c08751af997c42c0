import snappy from 'snappyjs'
import type { Steps } from 'tocsin/otlp'
import { joinSteps } from './joined.js'

/** How the framed format begins: a chunk of type 0xff with six letters. */
const STREAM = Buffer.from([0xff, 6, 0, 0, ...Buffer.from('sNaPpY')])
/** No chunk of the framed format holds more. */
const MAX_CHUNK = 65_536

/**
 * Snappy, decompressed: the framed format, which the Collector's exporter and gRPC clients send, or one block, which
 * `Content-Encoding: snappy` is for Prometheus. A block is one step. Throws for what is neither.
 */
export function* unsnappy(bytes: Buffer, limit: number): Steps<Buffer | 'too_large'> {
  return bytes.subarray(0, STREAM.length).equals(STREAM) ? yield* unframed(bytes, limit) : block(bytes, limit)
}

function block(bytes: Buffer, limit: number): Buffer | 'too_large' {
  if (announcedLength(bytes) > limit) return 'too_large'
  return snappy.uncompress(bytes, limit)
}

/** A varint before the block. The library would make room for whatever it says. */
function announcedLength(bytes: Buffer): number {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return length
  }
  throw new Error('it has no length')
}

function* unframed(bytes: Buffer, limit: number): Steps<Buffer | 'too_large'> {
  const parts: Buffer[] = []
  let size = 0
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new Error('a chunk is cut off')
    const type = bytes[at] as number
    const end = at + 4 + bytes.readUIntLE(at + 1, 3)
    if (end > bytes.length) throw new Error('a chunk is cut off')
    const chunk = bytes.subarray(at + 4, end)
    at = end
    // 0x80 to 0xfd may be skipped, 0xfe is padding, 0xff begins a stream anew.
    if (type >= 0x80) continue
    if (type > 1) throw new Error('it has a chunk of an unknown type')
    if (chunk.length < 4) throw new Error('a chunk is cut off')
    const data = chunk.subarray(4)
    const plain = type === 1 ? data : block(data, MAX_CHUNK)
    if (plain === 'too_large' || plain.length > MAX_CHUNK) throw new Error('a chunk is too large')
    if (masked(crc32c(plain)) !== chunk.readUInt32LE(0)) throw new Error('a checksum is wrong')
    size += plain.length
    if (size > limit) return 'too_large'
    parts.push(plain)
    yield
  }
  return yield* joinSteps(parts, Buffer.allocUnsafe(size))
}

/** CRC-32C (Castagnoli), as the framing has it; zlib has only the other one. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
