import type { Intake, LogRecord, Records, Settled } from 'tocsin/component'
import { otlpJsonSteps, otlpProtoSteps, type Steps } from 'tocsin/otlp'
import { VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { ingest } from './ingest.js'

const COUNT = 60_000
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

/** So many values at most between two steps, on average. */
const VALUES_A_STEP = { json: 1_000, proto: 3_000 }
const MANY = 15_000

/** All large parts that a request can have, as OTLP JSON and as protobuf. */
const large: {
  readonly [name: string]: readonly [json: (values: object[]) => object, proto: (pairs: Buffer[]) => Buffer]
} = {
  'attributes of a record': [
    values => records({ attributes: values }),
    pairs => message(1, message(2, message(2, joined(6, pairs)))),
  ],
  'a body that is a map': [
    values => records({ body: { kvlistValue: { values } } }),
    pairs => message(1, message(2, message(2, message(5, message(6, joined(1, pairs)))))),
  ],
  'a body that is a list': [
    values =>
      records({ body: { arrayValue: { values: values.map(pair => (pair as { value: object }).value) } } }),
    pairs =>
      message(
        1,
        message(
          2,
          message(
            2,
            message(
              5,
              message(
                5,
                joined(
                  1,
                  pairs.map(() => Buffer.of(0x18, 1)),
                ),
              ),
            ),
          ),
        ),
      ),
  ],
  'an attribute that is a map': [
    values => records({ attributes: [{ key: 'a', value: { kvlist_value: { values } } }] }),
    pairs => message(1, message(2, message(2, message(6, message(2, message(6, joined(1, pairs))))))),
  ],
  'attributes of a resource': [
    attributes => ({ resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [{}] }] }] }),
    pairs =>
      message(1, Buffer.concat([message(1, joined(1, pairs)), message(2, message(2, Buffer.alloc(0)))])),
  ],
  'attributes of a scope': [
    attributes => ({ resourceLogs: [{ scopeLogs: [{ scope: { attributes }, logRecords: [{}] }] }] }),
    pairs =>
      message(1, message(2, Buffer.concat([message(1, joined(3, pairs)), message(2, Buffer.alloc(0))]))),
  ],
  'many resources without records': [
    values => ({ resourceLogs: values.map(() => ({})) }),
    pairs =>
      joined(
        1,
        pairs.map(() => Buffer.alloc(0)),
      ),
  ],
  'many scopes without records': [
    values => ({ resourceLogs: [{ scopeLogs: values.map(() => ({})) }] }),
    pairs =>
      message(
        1,
        joined(
          2,
          pairs.map(() => Buffer.alloc(0)),
        ),
      ),
  ],
}

describe.each(Object.entries(large))('%s', (_, [json, proto]) => {
  const numbers = Array.from({ length: MANY }, (_, n) => n)
  const options = { id: String, arrived: 0n }
  /** What was decoded before it was handed out costs no time later: the same values in few microseconds a look. */
  const sizeOf = (record: LogRecord | undefined): number =>
    record === undefined
      ? MANY
      : Math.max(
          ...[
            record.attributes,
            record.resource.attributes,
            record.scope.attributes,
            record.body,
            record.attributes.a,
            record.attributes[''],
          ].map(value => Object.keys(value ?? {}).length),
        )

  it.each(['intValue', 'stringValue'])('is decoded in steps as JSON: %s', kind => {
    const values = numbers.map(n => ({ key: `k${n}`, value: { [kind]: `${n}` } }))
    const { steps, result } = run(otlpJsonSteps(Buffer.from(JSON.stringify(json(values))), options))
    expect(steps).toBeGreaterThan(MANY / VALUES_A_STEP.json)
    expect(sizeOf(result[0])).toBe(MANY)
  })

  it('is decoded in steps as protobuf', () => {
    const pairs = numbers.map(n =>
      Buffer.concat([message(1, Buffer.from(`k${n}`)), message(2, Buffer.of(0x18, 1))]),
    )
    const { steps, result } = run(otlpProtoSteps(proto(pairs), options))
    expect(steps).toBeGreaterThan(MANY / VALUES_A_STEP.proto)
    expect(sizeOf(result[0]?.[0])).toBe(MANY)
  })
})

function run<T>(steps: Steps<T>): { readonly steps: number; readonly result: T } {
  for (let count = 0; ; count++) {
    const step = steps.next()
    if (step.done) return { steps: count, result: step.value }
  }
}

function records(record: object): object {
  return { resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }
}

function joined(field: number, contents: readonly Buffer[]): Buffer {
  return Buffer.concat(contents.map(content => message(field, content)))
}

/** A field of protobuf that is a message. */
function message(field: number, content: Buffer): Buffer {
  const length: number[] = []
  for (let rest = content.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), content])
}
