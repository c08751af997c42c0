import { expect, test } from 'vitest'
import { unzstd, zstd } from './zstd.js'

const MIB = 1024 * 1024

/** Compresses well, and not to nothing. */
const large = Buffer.from(
  Array.from({ length: 200_000 }, (_, index) => `line ${index} of ${index ** 3}\n`).join(''),
)

/** How often everything else had its turn while something was done. */
async function turnsDuring<T>(work: Promise<T>): Promise<[T, number]> {
  let turns = 0
  let over = false
  const count = (): void => {
    turns++
    if (!over) setTimeout(count, 1)
  }
  setTimeout(count, 1)
  const result = await work.finally(() => {
    over = true
  })
  return [result, turns]
}

test('large frames are made and read beside everything else', async () => {
  // What is loaded for the first one takes turns too.
  await unzstd(Buffer.from(await zstd(large.subarray(0, 1_000))), MIB)
  const [frame, whileMade] = await turnsDuring(zstd(large))
  const [plain, whileRead] = await turnsDuring(unzstd(Buffer.from(frame), 32 * MIB))
  expect(large.equals(plain as Buffer)).toBe(true)
  expect(Math.min(whileMade, whileRead)).toBeGreaterThan(1)
  // Several are read one after another, and none keeps another from it.
  const damaged = Buffer.from(frame)
  damaged.fill(0xff, 100_000, 100_100)
  const all = [frame, damaged, frame].map(bytes => unzstd(Buffer.from(bytes), 32 * MIB))
  const answers = (await Promise.allSettled(all)).map(one =>
    one.status === 'fulfilled' ? large.equals(one.value as Buffer) : String(one.reason),
  )
  expect(answers).toEqual([true, 'Error: the frame is damaged', true])
})

test('of a frame that does not say its size no more than the limit is made', async () => {
  // A header without a size, and blocks of 128 KiB of one byte each (RFC 8878, 3.1.1).
  const frame = (blocks: number) => {
    const body = Array.from({ length: blocks }, (_, index) => {
      const block = Buffer.alloc(4)
      block.writeUIntLE((131_072 << 3) | (1 << 1) | (index === blocks - 1 ? 1 : 0), 0, 3)
      return block
    })
    return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]), ...body])
  }
  for (const blocks of [8, 16, 17, 80]) {
    const plain = await unzstd(frame(blocks), 10 * MIB)
    expect((plain as Buffer).equals(Buffer.alloc(blocks * 131_072)), `${blocks}`).toBe(true)
  }
  expect(await unzstd(frame(81), 10 * MIB)).toBe('too_large')
  expect(await unzstd(frame(9), MIB)).toBe('too_large')
})

test('of several frames no one is lost', async () => {
  // zlib of Node.js 22.23.3 answers the first, without an error (RFC 8878, 3: a body is one or more frames).
  const frames = Buffer.concat([await zstd(Buffer.from('one ')), await zstd(Buffer.from('two'))])
  expect(['one two', 'Error: the frame is damaged']).toContain(await unzstd(frames, MIB).then(String, String))
})
