const MAGIC = 0xfd2fb528
/** What the library can hold twice, as it came and as it becomes. */
const MOST = 256 * 1024 * 1024

type Library = typeof import('@bokuweb/zstd-wasm')

let loaded: Promise<Library> | undefined

/** Node 20 has no zstd of its own. The library is loaded where it is used, and once: a second time would break it. */
function library(): Promise<Library> {
  loaded ??= import('@bokuweb/zstd-wasm').then(async found => {
    await found.init()
    return found
  })
  return loaded
}

/** A zstd frame of the bytes. */
export async function zstd(plain: Uint8Array): Promise<Uint8Array> {
  return (await library()).compress(plain)
}

/**
 * A zstd frame, decompressed: what it says of its size is checked first, and without that the library gets room
 * for the limit and no more. Throws for what is no frame.
 */
export async function unzstd(bytes: Buffer, limit: number): Promise<Buffer | 'too_large'> {
  const most = Math.min(limit, MOST)
  const size = contentSize(bytes)
  if (size !== undefined && size > BigInt(most)) return 'too_large'
  const { decompress } = await library()
  try {
    const plain = decompress(bytes, { defaultHeapSize: most })
    return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
  } catch (error) {
    // The library's text is its own; code -70 is a target that is too small.
    if (size === undefined && / -70$/.test(String((error as Error).message))) return 'too_large'
    throw new Error('the frame is damaged')
  }
}

/** What the header of the frame says (RFC 8878, 3.1.1.1); undefined when it does not. */
function contentSize(bytes: Buffer): bigint | undefined {
  if (bytes.length < 9 || bytes.readUInt32LE(0) !== MAGIC) throw new Error('it has no zstd frame')
  const descriptor = bytes[4] as number
  const isSingle = (descriptor & 0x20) !== 0
  const flag = descriptor >> 6
  if (flag === 0 && !isSingle) return undefined
  const at = 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number)
  const length = 1 << flag
  if (bytes.length < at + length) throw new Error('its header is cut off')
  if (length === 8) return bytes.readBigUInt64LE(at)
  return BigInt(bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0))
}
