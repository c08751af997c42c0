import type { Steps } from 'tocsin/otlp'

const STEP_BYTES = 256 * 1024
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Whether a JSON text has more than so many objects and lists: parsed, each takes many times its bytes. */
export function* hasMoreValues(text: Uint8Array, limit: number): Steps<boolean> {
  // Each takes a byte at least: the usual request is not looked at.
  if (text.length <= limit) return false
  let count = 0
  let pausedAt = 0
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as number
    if (byte === QUOTE) {
      at++
      while (at < text.length && text[at] !== QUOTE) {
        at += text[at] === BACKSLASH ? 2 : 1
        if (at - pausedAt < STEP_BYTES) continue
        pausedAt = at
        yield
      }
    }
    // { and [, which differ in one bit.
    else if ((byte | 0x20) === 0x7b && ++count > limit) return true
    if (at - pausedAt < STEP_BYTES) continue
    pausedAt = at
    yield
  }
  return false
}
