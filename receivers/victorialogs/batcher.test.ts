import { formatRfc3339, type Intake } from 'tocsin/component'
import { collectingIntake, seededRandom, settleMicrotasks, testContext, VirtualClock } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { BATCH_RECORDS, Batcher } from './batcher.js'
import { readKept } from './kept-lines.js'
import { newLineKey } from './line-hash.js'
import { NewLines } from './new-lines.js'
import { type Offer, Offers } from './offers.js'
import { SeenLines } from './seen-lines.js'

const LINES = BATCH_RECORDS * 3 + 10

it('remembers what was taken of a large reading, though a stop came before the rest of it', async () => {
  const clock = new VirtualClock()
  const now = clock.now()
  const seen = new SeenLines({ maxBytes: 1_000_000, spanNs: 1_000_000_000n, floor: now - 1n })
  const newLines = new NewLines({
    seen,
    key: newLineKey(seededRandom(1)),
    clock,
    oncePerMinute: testContext({ config: {} }).logger,
    discarded: () => undefined,
    repaired: () => undefined,
  })
  // One in seven has no time: nothing is to be remembered of it.
  const text = Array.from({ length: LINES }, (_, index) =>
    JSON.stringify({ ...(index % 7 > 0 && { _time: formatRfc3339(now + BigInt(index)) }), _msg: `${index}` }),
  ).join('\n')
  const pass = newLines.nextPass()
  const read = newLines.records(newLines.sift([Buffer.from(`${text}\n`)], pass).fresh, pass)
  expect(read.records).toHaveLength(LINES)

  const collected = collectingIntake()
  const settled: Offer[] = []
  const stopped = { at: BATCH_RECORDS * 2 }
  const taken = () => collected.records()
  const intake: Intake = {
    ...collected,
    offer: async records =>
      taken().length < stopped.at
        ? collected.offer(records)
        : { busy: true, retryAfterMs: 100, reason: 'stopping' },
  }
  const offers = new Offers({
    intake,
    clock,
    batchRecords: BATCH_RECORDS,
    maxRecords: LINES,
    maxBytes: 100_000_000,
    onSettled: offer => settled.push(offer),
    onError: error => expect.unreachable(String(error)),
  })
  const batcher = new Batcher(offers, { completeTo: now, checkedTo: now, asOf: now })
  const end = now + BigInt(LINES)
  const rememberedTimes = (): bigint[] =>
    settled.flatMap(({ lines }) => (lines ? [...readKept(lines.bytes)] : [])).map(({ time }) => time)
  const takenTimes = (): (bigint | undefined)[] =>
    taken()
      .map(({ timestamp }) => timestamp)
      .filter(time => time !== undefined && time >= now)

  batcher.add(read, { completeTo: end, checkedTo: end, asOf: now })
  await until(() => settled.length === 2)
  expect(taken()).toHaveLength(BATCH_RECORDS * 2)
  expect(rememberedTimes()).toEqual(takenTimes())
  // The source is not read up to the end of what was read before all of it is settled.
  expect(settled.map(({ position }) => position)).toEqual([undefined, undefined])
  expect(offers.oldestUnsettled()).toBe(
    read.records.slice(taken().length).find(line => line.isTimed)?.timestamp,
  )

  stopped.at = LINES
  await clock.advance(1_000)
  await until(() => settled.length === 4)
  expect(rememberedTimes()).toEqual(takenTimes())
  expect(settled.at(-1)?.position?.completeTo).toBe(end)
})

/** `Offers` waits for turns of the event loop, which this clock does not count. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await settleMicrotasks()
    await new Promise(resolve => setImmediate(resolve))
  }
}
