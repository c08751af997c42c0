import type { Labels } from './entries.js'

const SEPARATOR = 0xff
const TWO_32 = 2 ** 32

/**
 * What Prometheus and Alertmanager know a set of labels by: the 64-bit FNV-1a hash of names and values, sorted by name, as 16 hex
 * digits.
 */
export function fingerprint(labels: Labels): string {
  let high = 0xcbf29ce4
  let low = 0x84222325
  const add = (byte: number): void => {
    // Times 2^40 + 0x1b3, in halves that a double holds exactly.
    const mixed = (low ^ byte) >>> 0
    const product = mixed * 0x1b3
    high = (high * 0x1b3 + Math.floor(product / TWO_32) + mixed * 256) % TWO_32
    low = product % TWO_32
  }
  const names = Object.keys(labels).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  for (const name of names) {
    for (const byte of Buffer.from(name)) add(byte)
    add(SEPARATOR)
    for (const byte of Buffer.from(labels[name] as string)) add(byte)
    add(SEPARATOR)
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
