import type { Encoding } from './encoding.js'

/** What a file holds: text, text in gzip, or something that gives no log lines, by name. */
export type Format = 'text' | 'gzip' | { readonly leftOut: string }

const MAGIC: readonly (readonly [name: string, bytes: readonly number[], at?: number])[] = [
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['zip', [0x50, 0x4b, 3, 4]],
  ['zip', [0x50, 0x4b, 5, 6]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['lzip', [0x4c, 0x5a, 0x49, 0x50, 1]],
  ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['compress', [0x1f, 0x9d]],
  ['tar', [0x75, 0x73, 0x74, 0x61, 0x72], 257],
  ['systemd journal', [0x4c, 0x50, 0x4b, 0x53, 0x48, 0x48, 0x52, 0x48]],
  ['UTF-32', [0xff, 0xfe, 0, 0]],
  ['UTF-32', [0, 0, 0xfe, 0xff]],
]
/** Log lines have hardly any control characters; one byte in nine of compressed or encrypted data is one. */
const MOST_CONTROL_SHARE = 0.05
const FEW_CONTROLS = 8

/** What the first bytes of a file say. */
export function formatOf(head: Buffer, encoding: Encoding): Format {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  for (const [name, bytes, at = 0] of MAGIC) {
    if (bytes.every((byte, index) => head[at + index] === byte)) return { leftOut: name }
  }
  return encoding.unit === 1 && isBinary(head) ? { leftOut: 'binary' } : 'text'
}

/** NULs do not count: a writer that kept its offset after a truncation leaves them in front of text. */
function isBinary(head: Buffer): boolean {
  let controls = 0
  let others = 0
  for (const byte of head) {
    if (byte === 0) continue
    // BEL to CR and ESC are what terminals get.
    if ((byte < 32 && (byte < 7 || byte > 13) && byte !== 27) || byte === 127) controls++
    else others++
  }
  return controls >= FEW_CONTROLS && controls > MOST_CONTROL_SHARE * (controls + others)
}
