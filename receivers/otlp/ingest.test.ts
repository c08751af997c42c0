import type { Intake, Records, Settled } from 'tocsin/component'
import { VirtualClock } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { ingest } from './ingest.js'

const COUNT = 240_000
const settled: Settled = { deadLettered: 0, release: () => undefined }

const emptyRecords = {
  json: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: Array(COUNT).fill({}) }] }] }),
  proto: message(1, message(2, Buffer.alloc(2 * COUNT, Buffer.from([0x12, 0])))),
}
const oneRecord = JSON.stringify({
  resourceLogs: [
    {
      scopeLogs: [
        {
          logRecords: [
            {
              attributes: Array.from({ length: COUNT }, (_, key) => ({
                key: `${key}`,
                value: { intValue: 1 },
              })),
            },
          ],
        },
      ],
    },
  ],
})

it.each([
  ['empty records as JSON', 'json', Buffer.from(emptyRecords.json), COUNT],
  ['empty records as protobuf', 'proto', emptyRecords.proto, COUNT],
  ['one record of many attributes as JSON', 'json', Buffer.from(oneRecord), 1],
] as const)('decodes in turns with everything else: %s', async (_, encoding, bytes, records) => {
  let others = 0
  let over = false
  const tick = (): void => {
    others++
    if (!over) setImmediate(tick)
  }
  const offered: Records[] = []
  const intake = {
    offerAll: async (batches: readonly Records[]) => {
      over = true
      offered.push(...batches)
      return settled
    },
    discarded: () => undefined,
  } as unknown as Intake
  const lease = { take: () => true, giveBack: () => undefined, end: () => undefined }
  setImmediate(tick)
  const answer = await ingest(bytes, encoding, {
    intake,
    clock: new VirtualClock(),
    lease,
    transport: 'http',
  })
  expect(answer).toMatchObject({ records, partial: undefined })
  expect(others).toBeGreaterThan(1)
  expect(Math.max(...offered.map(batch => batch.length))).toBeLessThanOrEqual(4_096)
  expect(offered.flat().map(record => record.id)).toHaveLength(records)
})

/** A field of protobuf that is a message. */
function message(field: number, content: Buffer): Buffer {
  const length: number[] = []
  for (let rest = content.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), content])
}
