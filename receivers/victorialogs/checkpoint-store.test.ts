import fc from 'fast-check'
import type { KeyValueStore } from 'tocsin/component'
import { testContext } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { CheckpointStore } from './checkpoint-store.js'
import { keptLines } from './kept-lines.js'
import type { SeenLine } from './seen-lines.js'

const store = () => testContext({ config: {} }).storage()
const KEY = [1, 0xffff_ffff] as const
const line = (index: number, time = BigInt(index)) => ({ high: 0xffff_ffff - index, low: index, time })

async function reload(durable: KeyValueStore, maxLines = 100_000) {
  const checkpoint = new CheckpointStore(durable, maxLines, [7, 7])
  const restored = await checkpoint.load()
  const lines: SeenLine[] = []
  await checkpoint.lines(stored => lines.push(stored))
  return { checkpoint, ...restored, lines }
}
const position = (at: number) => ({ completeTo: BigInt(at), checkedTo: BigInt(at - 1), asOf: BigInt(at + 1) })

describe('CheckpointStore', () => {
  it('is empty at first', async () => {
    expect(await new CheckpointStore(store(), 1_000, KEY).load()).toBeUndefined()
  })

  it('gives back what was saved, over restarts, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(1_500), fc.boolean()), { minLength: 1, maxLength: 6 }),
        async saves => {
          const durable = store()
          let checkpoint = new CheckpointStore(durable, 100_000, KEY)
          let count = 0
          for (const [more, restart] of saves) {
            const lines = Array.from({ length: more }, (_, index) =>
              line(count + index, 2n ** 60n + BigInt(count + index)),
            )
            count += more
            await checkpoint.save(keptLines(lines).bytes, position(count), 5n)
            if (!restart) continue
            checkpoint = (await reload(durable)).checkpoint
          }
          const restored = await reload(durable)
          expect(restored.position).toEqual(position(count))
          expect(restored.floor).toBe(5n)
          expect(restored.key).toEqual(KEY)
          expect(restored.lines).toEqual(
            Array.from({ length: count }, (_, index) => line(index, 2n ** 60n + BigInt(index))),
          )
        },
      ),
      runs(20),
    )
  })

  it('stays within its size, and says what it forgot', async () => {
    const durable = store()
    const checkpoint = new CheckpointStore(durable, 2_048, KEY)
    for (let start = 0; start < 20_480; start += 512) {
      await checkpoint.save(
        keptLines(Array.from({ length: 512 }, (_, index) => line(start + index))).bytes,
        position(start),
        0n,
      )
    }
    const restored = await reload(durable, 2_048)
    expect(restored.lines.length).toBeLessThanOrEqual(2_048 + 1_024)
    expect(restored.floor).toBe((restored.lines[0]?.time ?? 0n) - 1n)
    expect((await durable.range('', '~', 1_000)).length).toBeLessThanOrEqual(4)
  })

  it('lets go of segments that no reading reaches any more', async () => {
    const durable = store()
    const checkpoint = new CheckpointStore(durable, 100_000, KEY)
    const lines = Array.from({ length: 3_000 }, (_, index) => line(index))
    await checkpoint.save(keptLines(lines).bytes, position(1), 0n)
    await checkpoint.save(keptLines([line(3_000)]).bytes, position(2), 2_047n)
    const restored = await reload(durable)
    expect(restored.lines).toHaveLength(3_001 - 2_048)
  })
})
