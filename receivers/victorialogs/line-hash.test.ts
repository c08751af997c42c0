import { expect, it } from 'vitest'
import { LineHash } from './line-hash.js'

const KEY = [0x03020100, 0x07060504] as const

/** As the reference implementation prints it: eight bytes, the least significant first. */
function hashed(bytes: Uint8Array): string {
  const hash = new LineHash(KEY)
  hash.add(bytes, 0, bytes.length)
  const answer = Buffer.alloc(8)
  answer.writeUInt32LE(hash.low, 0)
  answer.writeUInt32LE(hash.high, 4)
  return answer.toString('hex')
}

// The first vectors of the reference implementation (veorq/SipHash, vectors_hsip64).
it.each([
  [0, '218d1f59b9b83cc8'],
  [1, 'be552412f8387315'],
  [2, '064f39ef7c50eb57'],
  [3, 'ce0f1a45f7060679'],
  [4, 'd5e78a175be52ea1'],
  [7, 'ff202728b07bc684'],
  [15, '217d0bcb4e81c902'],
])('is HalfSipHash-2-4 with 64 bits: %i bytes', (length, expected) => {
  expect(hashed(Buffer.from(Array.from({ length }, (_, index) => index)))).toBe(expected)
})
