import { createRecord, type Intake, type LogRecord, type Records, type Settled } from 'tocsin/component'
import {
  decodeOtlpJson,
  decodeOtlpProto,
  encodeOtlpJson,
  encodeOtlpProto,
  otlpJsonSteps,
  otlpProtoSteps,
  requestIdSteps,
  requestIds,
  type Steps,
} from 'tocsin/otlp'
import { VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { ingest } from './ingest.js'
import { joinSteps } from './joined.js'
import { hasMoreValues } from './json-size.js'

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
    onCut: () => undefined,
  })
  expect(answer).toMatchObject({ records, partial: undefined })
  expect(others).toBeGreaterThan(1)
  expect(Math.max(...offered.map(batch => batch.length))).toBeLessThanOrEqual(1_024)
  expect(offered.flat().map(record => record.id)).toHaveLength(records)
})

describe('what a pipeline gets of a request at once', () => {
  const pair = (key: string) => ({ key, value: { intValue: 1 } })
  const protoPair = (key: string) =>
    Buffer.concat([message(1, Buffer.from(key)), message(2, Buffer.of(0x18, 1))])
  const keys = Array.from({ length: 12_000 }, (_, n) => `k${n}`)
  const requestOf = {
    json: (count: number, each: readonly string[]) =>
      Buffer.from(
        JSON.stringify({
          resourceLogs: [{ scopeLogs: [{ logRecords: Array(count).fill({ attributes: each.map(pair) }) }] }],
        }),
      ),
    proto: (count: number, each: readonly string[]) => {
      const record = message(2, joined(6, each.map(protoPair)))
      return message(1, message(2, Buffer.concat(Array<Buffer>(count).fill(record))))
    },
  }

  async function offeredOf(bytes: Buffer, encoding: 'json' | 'proto') {
    const offered: Records[] = []
    let cut = 0
    const intake = {
      offerAll: async (batches: readonly Records[]) => {
        offered.push(...batches)
        return settled
      },
    } as unknown as Intake
    const lease = { take: () => true, giveBack: () => undefined, end: () => undefined }
    const onCut = (count: number): void => {
      cut += count
    }
    await ingest(bytes, encoding, { intake, clock: new VirtualClock(), lease, transport: 'http', onCut })
    return { offered, cut }
  }

  it.each(['json', 'proto'] as const)('is few records where they have many values: %s', async encoding => {
    const { offered, cut } = await offeredOf(requestOf[encoding](400, keys.slice(0, 800)), encoding)
    expect(offered.flat()).toHaveLength(400)
    expect(Math.max(...offered.map(batch => batch.length))).toBeLessThan(50)
    expect(cut).toBe(0)
  })

  it.each(['json', 'proto'] as const)('is the first 10,000 values of a record: %s', async encoding => {
    const { offered, cut } = await offeredOf(requestOf[encoding](3, keys), encoding)
    const records = offered.flat()
    expect(cut).toBe(3)
    for (const kept of [...records, ...decodeOtlpProto(encodeOtlpProto(records)).flat()]) {
      expect(Object.keys(kept.attributes)).toEqual(keys.slice(0, 10_000))
      expect(kept.droppedAttributesCount).toBe(2_000)
    }
  })

  const MIB = 1024 * 1024
  // Escapes and characters of several bytes, also where it is cut.
  it.each(['x', 'ü', 'a€', '😀', '\u0001', '"\\'])('is the first 1 MiB of a text: %j', async part => {
    const text = part.repeat(1.25 * MIB).slice(0, 1.25 * MIB)
    const value = { stringValue: text }
    const log = { body: value, attributes: [{ key: 'first', value }, pair('behind')] }
    const whole = Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [log] }] }] }))
    const wire = encodeOtlpProto(decodeOtlpJson(whole, { id: String }))
    for (const { offered, cut } of [await offeredOf(whole, 'json'), await offeredOf(wire, 'proto')]) {
      const record = offered.flat()[0] as LogRecord
      expect(cut).toBe(1)
      for (const kept of [record, decodeOtlpProto(encodeOtlpProto([record])).flat()[0] as LogRecord]) {
        const size = Buffer.byteLength(kept.body as string)
        expect(size).toBeGreaterThan(MIB - 4)
        expect(size).toBeLessThanOrEqual(MIB)
        expect(text.startsWith(kept.body as string)).toBe(true)
        expect(Buffer.from(kept.bodyBytes()).toString()).toBe(kept.body)
        expect(Object.keys(kept.attributes)).toEqual(['first'])
        expect(kept.droppedAttributesCount).toBe(1)
      }
    }
  })

  it('is the first 1 MiB of all texts and keys together, and of a name', async () => {
    const values = Object.fromEntries(keys.slice(0, 40).map(key => [key, 'y'.repeat(50_000)]))
    const record = createRecord({
      id: '1',
      severityText: 's'.repeat(2 * MIB),
      attributes: { ...values, ['k'.repeat(2 * MIB)]: 'z' },
    })
    for (const { offered, cut } of [
      await offeredOf(Buffer.from(encodeOtlpJson([record])), 'json'),
      await offeredOf(encodeOtlpProto([record]), 'proto'),
    ]) {
      const kept = offered.flat()[0] as LogRecord
      expect(cut).toBe(1)
      expect(Object.keys(kept.attributes)).toEqual(keys.slice(0, 21))
      expect(kept.droppedAttributesCount).toBe(20)
      expect(kept.severityText).toBe('s'.repeat(MIB))
    }
  })

  it('counts what lists and maps hold, of the body by itself, and of resources and scopes', async () => {
    const values = keys.map(() => ({ intValue: 1 }))
    const { offered, cut } = await offeredOf(
      Buffer.from(
        JSON.stringify({
          resourceLogs: [
            {
              resource: { attributes: keys.map(pair) },
              scopeLogs: [
                {
                  scope: { attributes: keys.map(pair), droppedAttributesCount: 1 },
                  logRecords: [
                    {
                      body: { arrayValue: { values } },
                      attributes: [{ key: 'list', value: { arrayValue: { values } } }, pair('behind')],
                    },
                  ],
                },
              ],
            },
          ],
        }),
      ),
      'json',
    )
    const [record] = offered.flat()
    expect(cut).toBe(3)
    expect(record?.body).toHaveLength(10_000)
    expect(record?.attributes.list).toHaveLength(9_999)
    expect(record?.droppedAttributesCount).toBe(1)
    expect(record?.resource.droppedAttributesCount).toBe(2_000)
    expect(record?.scope.droppedAttributesCount).toBe(2_001)
  })
})

it('a large text in JSON is gone over, counted and put together in steps', () => {
  const text = Buffer.from(`["${'x'.repeat(20 * 1024 * 1024)}"]`)
  expect(run(hasMoreValues(text, 1_000)).steps).toBeGreaterThan(50)
  const json = Buffer.from(JSON.stringify({ resourceLogs: [], other: text.toString() }))
  expect(run(otlpJsonSteps(json, { id: String, onCut: () => undefined })).steps).toBeGreaterThan(50)
  const { steps, result } = run(joinSteps([text.subarray(0, 7), text.subarray(7)], Buffer.alloc(text.length)))
  expect(result.equals(text)).toBe(true)
  expect(steps).toBeGreaterThan(15)
})

it('ids of a large request are those of the whole request at once', () => {
  const bytes = Buffer.alloc(9 * 1024 * 1024 + 1, 'a')
  const { steps, result } = run(requestIdSteps(bytes))
  expect(steps).toBeGreaterThan(8)
  expect(result(7)).toBe(requestIds(bytes)(7))
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
