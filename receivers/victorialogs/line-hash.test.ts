import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
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

it('reads a plain field as JSON does, and hashes it as `add` does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '_', ' ', '~', '\u007f', 'é', '🚀', ':', '}', ',') })
  const odd = fc.constantFrom('', '\\', '\\"', '\u0001', '\n', '"', '":"')
  fc.assert(
    fc.property(text, text, odd, odd, text, (name, value, inName, inValue, behind) => {
      const field = Buffer.from(`"${name}${inName}":"${value}${inValue}"`)
      const bytes = Buffer.concat([Buffer.from('{'), field, Buffer.from(`${behind}}`)])
      const [read, added] = [new LineHash(KEY), new LineHash(KEY)]
      const end = read.plainField(bytes, 1)
      if (inName === '' && inValue === '') {
        expect(end).toBe(1 + field.length)
        expect(bytes.toString('utf8', 1, read.nameEnd)).toBe(`"${name}"`)
        expect((read.seen & 0x80) === 0).toBe(field.every(byte => byte < 0x80))
      }
      if (end < 0) return
      expect(() => JSON.parse(`{${bytes.toString('utf8', 1, end)}}`)).not.toThrow()
      expect(bytes.subarray(1, end).includes('\\')).toBe(false)
      read.addField()
      added.add(bytes, 1, end)
      expect([read.high, read.low]).toEqual([added.high, added.low])
    }),
    runs(1_000),
  )
  // Cut off anywhere.
  const whole = Buffer.from('"name":"value"')
  for (let length = 0; length < whole.length; length++)
    expect(new LineHash(KEY).plainField(whole.subarray(0, length), 0)).toBe(-1)
})
