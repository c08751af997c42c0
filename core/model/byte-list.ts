import type { AnyValue } from './any-value.js'

/**
 * The UTF-8 text of bytes that JSON lists by their numbers, as `journalctl -o json` does with a message in which a control
 * character is. Undefined for anything but a list of integers from 0 to 255.
 */
export function byteListText(value: AnyValue | undefined): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  const bytes = Buffer.alloc(value.length)
  for (const [at, item] of value.entries()) {
    const byte = Number(item)
    if ((typeof item !== 'bigint' && typeof item !== 'number') || !(byte >= 0 && byte <= 255))
      return undefined
    if (!Number.isInteger(byte)) return undefined
    bytes[at] = byte
  }
  return bytes.toString('utf8')
}
