import fc from 'fast-check'
import { createCollector } from 'tocsin'
import {
  createRecord,
  defineExporter,
  defineExtension,
  defineReceiver,
  type FlowObserver,
  type Host,
  type Intake,
  newMap,
  type RecordInit,
} from 'tocsin/component'
import { components as all } from 'tocsin/components'
import { encodeOtlpProto } from 'tocsin/otlp'
import { VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { ingest } from '../../receivers/otlp/ingest.js'
import { runs } from '../support/property.js'

const CLOCK = new VirtualClock()
const NOW = CLOCK.now()

const BODIES = [
  'unit-7 failed',
  'unit-7 is back',
  'unit-12 failed',
  'fine',
  '',
  'ünit-7 failed?',
  ['unit-7 failed'],
  7n,
  null,
]
/** Before now, ns: of a clock that is ahead too, and none. */
const AGES = [0n, 1_000_000n, 2_000_000_000n, 60_000_000_000n, -4_000_000_000n, -60_000_000_000n, NOW]

const record = fc.record({
  body: fc.oneof({ weight: 2, arbitrary: fc.constant('fine') }, fc.constantFrom(...BODIES)),
  timestamp: fc
    .oneof(
      { weight: 12, arbitrary: fc.constantFrom(0n, 1_000_000n, 2_000_000_000n) },
      fc.constantFrom(...AGES),
    )
    .map(age => NOW - age),
  observedTimestamp: fc.constantFrom(0n, NOW),
  severityNumber: fc.constantFrom(0, 9, 17),
  attributes: fc.constantFrom(newMap(), newMap([['list', ['a']]]), newMap([['alert', 'mine']])),
})
const request = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 30 }),
  late: fc.boolean(),
  bad: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
  cut: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(8)),
})
const CONDITIONS = [
  'severity_number > 16',
  'attributes["alert"] != nil',
  'IsMatch(body, "fine")',
  'attributes["list"][0] == "a"',
  'false',
  'resource.attributes["host.name"] == "web"',
  'severity_number > 8 and resource.attributes["host.name"] == nil',
  'instrumentation_scope.name == "app"',
]
const config = fc.record({
  pipelines: fc.array(
    fc.record({
      alerts: fc.boolean(),
      exporter: fc.oneof(
        { weight: 2, arbitrary: fc.constantFrom(0, 4) },
        fc.constantFrom(...CONDITIONS.keys()),
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  time: fc.constantFrom('event', 'observed'),
  alertMatch: fc.constantFrom('all', 'first'),
})

test('requests that are sifted make, count and answer what they do when each of their records is made', async () => {
  let sifted = 0
  await fc.assert(
    fc.asyncProperty(config, fc.array(request, { maxLength: 6 }), async (parts, requests) => {
      const yaml = configOf(parts)
      const quick = await ran(yaml, requests, true)
      const simple = await ran(yaml, requests, false)
      sifted += quick.unwanted
      expect({ ...quick, unwanted: 0 }).toEqual(simple)
    }),
    runs(150, 40),
  )
  expect(sifted).toBeGreaterThan(100)
})

test('who looks on sees every record', async () => {
  const body = 'fine'
  const requests = [{ records: [{ body, timestamp: NOW }], late: false, bad: false, cut: 0 }]
  const parts = { pipelines: [{ alerts: true, exporter: 4 }], time: 'event', alertMatch: 'all' }
  const seen: string[] = []
  const processed: FlowObserver['processed'] = (_, processor, incoming) => {
    for (const each of incoming) seen.push(`${processor} ${each.body}`)
  }
  const { unwanted } = await ran(configOf(parts), requests, true, { processed })
  expect({ unwanted, seen }).toEqual({ unwanted: 0, seen: ['stateful_alert fine'] })
})

function configOf({
  pipelines,
  time,
  alertMatch,
}: Omit<typeof config extends fc.Arbitrary<infer C> ? C : never, 'time' | 'alertMatch'> & {
  time: string
  alertMatch: string
}): string {
  const exporters = CONDITIONS.map((condition, n) => `test/${n}: {condition: '${condition}'}`)
  const each = pipelines.map(
    ({ alerts, exporter }, n) =>
      `logs/${n}: {receivers: [test], processors: [${alerts ? 'stateful_alert' : ''}], exporters: [test/${exporter}]}`,
  )
  const used = new Set(pipelines.map(({ exporter }) => exporter))
  return `
receivers: {test: {}}
processors:
  stateful_alert:
    time_source: ${time}
    alert_match: ${alertMatch}
    patterns:
      - {alert_pattern: 'unit-(7|8) failed', recovery_pattern: 'unit-7 is back', normalized_message: seven, severity: critical, alert_schema: 'threshold,2,10,1,10'}
      - {alert_pattern: 'unit-12 failed', normalized_message: twelve, severity: critical, alert_schema: 'immediate,5'}
exporters: {${exporters.filter((_, n) => used.has(n)).join(', ')}}
extensions: {test: {}}
service: {extensions: [test], telemetry: {metrics: {readers: []}}, pipelines: {${each.join(', ')}}}`
}

interface Request {
  readonly records: readonly Omit<RecordInit, 'id'>[]
  /** The records come before their resource and scope. */
  readonly late: boolean
  readonly bad: boolean
  readonly cut: number
}

/** What came out, what was counted and answered. */
async function ran(yaml: string, requests: readonly Request[], sifts: boolean, observer: FlowObserver = {}) {
  const sent: string[] = []
  const answers: unknown[] = []
  let unwanted = 0
  let counted: readonly string[] = []
  let offered: Promise<void> = Promise.resolve()
  const receiver = defineReceiver({
    ...ABOUT,
    create: () => ({
      async start(intake: Intake) {
        const shown: Intake = {
          ...bound(intake),
          ...(sifts && {
            sift() {
              const sieve = intake.sift?.()
              return (
                sieve && {
                  sift: (record, batch) => sieve.sift(record, batch),
                  end: batch => sieve.end(batch),
                  get unwanted() {
                    return sieve.unwanted
                  },
                  offerAll(batches, transport) {
                    unwanted += sieve.unwanted
                    return sieve.offerAll(batches, transport)
                  },
                }
              )
            },
          }),
        }
        offered = (async () => {
          for (const each of requests) {
            const { records, ...rest } = each
            const wire = bytesOf(each)
            const answer = await ingest(wire, 'proto', {
              intake: shown,
              clock: CLOCK,
              lease: { take: () => true, giveBack: () => undefined, end: () => undefined },
              transport: 'http',
              onCut: () => undefined,
            })
            const { isUnheld: _, release: __, ...said } = answer as unknown as Record<string, unknown>
            answers.push({ ...rest, ...said })
          }
        })()
      },
      async stop() {},
      watermark: () => CLOCK.now(),
    }),
  })
  const exporter = defineExporter({
    ...ABOUT,
    create: ({ id }) => ({
      async send({ pipeline, records }) {
        for (const { id: record, time, body, attributes, resource, scope } of records)
          sent.push(
            `${id} ${pipeline} ${record} ${time} ${body} ${shown(attributes)} ${shown([resource, scope])}`,
          )
        return 'ok' as const
      },
    }),
  })
  const extension = defineExtension({
    ...ABOUT,
    create: () => {
      let host: Host
      return {
        async start(given: Host) {
          host = given
        },
        async stop() {
          counted = (await host.metrics())
            .filter(
              ({ name }) =>
                /processor|receiver|stateful|exporter/.test(name) && !/duration|second/.test(name),
            )
            .map(({ name, labels, value }) => `${name} ${JSON.stringify(labels)} ${value}`)
            .sort()
        },
        ...(observer.processed && { observe: () => observer }),
      }
    },
  })
  const collector = createCollector({
    config: `yaml:${yaml}`,
    components: [
      receiver,
      exporter,
      extension,
      ...all.filter(({ kind, type }) => kind === 'processor' && type === 'stateful_alert'),
    ],
    clock: CLOCK,
    logger: QUIET,
  })
  await collector.start()
  await offered
  const report = await collector.stop()
  return { sent: sent.sort(), answers, counted, report, unwanted }
}

function bound(intake: Intake): Intake {
  return {
    offer: records => intake.offer(records),
    offerAll: (batches, transport) => intake.offerAll(batches, transport),
    ready: () => intake.ready(),
    discarded: (reason, count) => intake.discarded(reason, count),
    end: () => intake.end(),
  }
}

function bytesOf({ records, late, bad, cut }: Request): Buffer {
  const resource = {
    attributes: newMap([['host.name', 'web']]),
    droppedAttributesCount: 0,
    schemaUrl: 'https://example.org/1',
  }
  const scope = { ...resource, name: 'app', version: '1' }
  const encoded = encodeOtlpProto(records.map(each => createRecord({ ...each, id: '', resource, scope })))
  const whole = late ? turned(encoded, 2) : encoded
  if (bad) {
    const at = whole.indexOf('unit-7')
    if (at >= 0) whole[at] = 0xff
  }
  return whole.subarray(0, whole.length - cut)
}

/** A message with its fields, and those of its messages so far down, the last first; records keep their order. */
function turned(message: Buffer, depth: number): Buffer {
  const fields: Buffer[] = []
  const records: Buffer[] = []
  for (let at = 0; at < message.length; ) {
    const tag = message[at++] as number
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] as number
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    const content = message.subarray(at, at + length)
    const isNested = depth > 0 && tag === (depth === 2 ? 0x0a : 0x12)
    const field = fieldOf(tag, isNested ? turned(content, depth - 1) : content)
    if (depth === 0 && tag === 0x12) records.push(field)
    else fields.unshift(field)
    at += length
  }
  return Buffer.concat([...records, ...fields])
}

function fieldOf(tag: number, content: Buffer): Buffer {
  const size: number[] = []
  for (let left = content.length; ; left >>= 7) {
    size.push(left < 0x80 ? left : (left & 0x7f) | 0x80)
    if (left < 0x80) return Buffer.concat([Buffer.of(tag, ...size), content])
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each))
}

const ABOUT = {
  api: 1,
  type: 'test',
  stability: 'stable',
  description: 'Of a test.',
  schema: { type: 'object', additionalProperties: false },
} as const

const QUIET = { debug() {}, info() {}, warn() {}, error() {}, child: () => QUIET } as never
