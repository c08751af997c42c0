import { encodeOtlpJson } from 'tocsin/otlp'
import { sampleRecord, seededRandom, VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { type RedisCommands, type RedisScript, STREAM_FIELD } from '#state'
import { Partition } from './partition.js'
import { ACKNOWLEDGE, CLAIM, READ } from './scripts.js'

test('a partition that is to be passed on is, when Redis forgot its lease and gives it to the same collector again', async () => {
  const clock = new VirtualClock()
  const entry = ['1-0', [STREAM_FIELD, encodeOtlpJson([sampleRecord()])]]
  let token = 1
  let unread: unknown[] = [entry]
  const run = async (script: RedisScript): Promise<unknown> => {
    if (script === CLAIM) return ['0-0', []]
    if (script === READ) return [1, unread.splice(0)]
    if (script === ACKNOWLEDGE) return 0
    return [1, token]
  }
  const partition = (await Partition.take({
    number: 0,
    name: 'tocsin:{stream/logs/0}',
    consumer: 'one',
    redis: { prefix: 'tocsin', leaseTtlMs: 1_000, run } as Partial<RedisCommands> as RedisCommands,
    // Never settles: the state in Redis takes nothing of a term that is over.
    intake: {
      ready: async () => {},
      offer: () => new Promise(() => {}),
      offerAll: () => new Promise(() => {}),
      discarded: () => {},
      end: () => {},
    },
    clock,
    random: seededRandom(1),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    claimed: () => {},
    acknowledged: () => {},
  })) as Partition
  await expect.poll(() => partition.unacknowledged).toBe(1)
  let drained = false
  void partition.drained().then(() => {
    drained = true
  })
  unread = []
  token = 2
  await clock.advance(2_000)
  expect(partition.owned).toBe(false)
  await expect.poll(() => drained).toBe(true)
  await partition.release()
})
