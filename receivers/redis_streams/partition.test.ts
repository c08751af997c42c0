import type { Clock, Intake } from 'tocsin/component'
import { encodeOtlpJson } from 'tocsin/otlp'
import { sampleRecord, seededRandom, settleMicrotasks, VirtualClock } from 'tocsin/testing'
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
  // Never settles: the state in Redis takes nothing of a term that is over.
  const partition = await taken(clock, run, () => new Promise(() => {}))
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

test.each(['its clock', 'the state'])(
  'what a partition gave up because %s says that its lease is over is acknowledged by nobody',
  async who => {
    const clock = new VirtualClock()
    const entry = ['1-0', [STREAM_FIELD, encodeOtlpJson([sampleRecord()])]]
    const unread = [entry]
    const acknowledged: unknown[] = []
    const run = async (script: RedisScript, _: unknown, args: readonly unknown[]): Promise<unknown> => {
      if (script === CLAIM) return ['0-0', []]
      if (script === READ) return [1, unread.splice(0)]
      // Redis still has the lease: it began to count later, or has prolonged it and the answer is not read yet.
      if (script === ACKNOWLEDGE) return acknowledged.push(args) && 1
      return [1, 1]
    }
    let lateMs = 0
    const late: Clock = {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs() + lateMs,
      sleep: (ms, signal) => clock.sleep(ms, signal),
      schedule: (ms, task) => clock.schedule(ms, task),
    }
    let giveUp = (): void => {}
    const partition = await taken(
      late,
      run,
      (_, __, term) =>
        new Promise(resolve => {
          giveUp = () => {
            if (who === 'the state') term?.end?.()
            resolve({ deadLettered: 0, release: () => {} })
          }
        }),
    )
    await expect.poll(() => partition.unacknowledged).toBe(1)
    // No timer has run yet, as after a pause.
    if (who === 'its clock') lateMs = 950
    giveUp()
    await settleMicrotasks()
    expect({ acknowledged, owned: partition.owned }).toEqual({ acknowledged: [], owned: false })
    await partition.release()
  },
)

async function taken(
  clock: Clock,
  run: RedisCommands['run'],
  offerAll: Intake['offerAll'],
): Promise<Partition> {
  const commands: Partial<RedisCommands> = { prefix: 'tocsin', leaseTtlMs: 1_000, run }
  const partition = await Partition.take({
    number: 0,
    name: 'tocsin:{stream/logs/0}',
    consumer: 'one',
    redis: commands as RedisCommands,
    intake: {
      ready: async () => {},
      offer: () => new Promise(() => {}),
      offerAll,
      discarded: () => {},
      end: () => {},
    },
    clock,
    random: seededRandom(1),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    claimed: () => {},
    acknowledged: () => {},
  })
  return partition as Partition
}
