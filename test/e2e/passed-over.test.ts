import fc from 'fast-check'
import { createCollector } from 'tocsin'
import {
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
  type Host,
  type Intake,
  type Mapper,
  type ProcessorFactory,
  type Records,
} from 'tocsin/component'
import { components as all } from 'tocsin/components'
import { sampleRecord } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { parserProcessor } from '../../processors/parser/index.js'
import { runs } from '../support/property.js'

const EXPRESSIONS = [
  'error in part 7',
  'part (?P<part>\\d+)',
  '^x=(?P<x>.)',
  '(?i)ERROR',
  'never seen',
  'nor this',
  '.*',
  '\\Qa.b\\E',
] as const
const LINES = ['error in part 7 of it', 'x=1', '', 'fine', 'Error 12 part 9', 'a\nb', 'a.b', 'none'] as const

/** Four parsers that look for something in bodies are needed for any to be passed over. */
const rule = fc.record({
  regex: fc.constantFrom(...EXPRESSIONS),
  more: often('', ', on_no_match: pass', ', json: {}', `, parse_from: 'attributes["message"]'`),
  first: often('parser', 'filter', 'broken'),
})

test('pipelines that are passed over make, count and tell what they do when each takes every batch', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rule, { minLength: 5, maxLength: 12 }),
      fc.array(fc.array(fc.constantFrom(...LINES), { minLength: 1, maxLength: 6 }), { maxLength: 8 }),
      async (rules, lines) => {
        const yaml = configOf(rules)
        const batches = lines.map((batch, at) =>
          batch.map((body, index) => sampleRecord({ id: `${at}.${index}`, body })),
        )
        const simple = { ...parserProcessor, create: withoutScreen(parserProcessor.create) }
        const { told, ...rest } = await ran(yaml, parserProcessor, batches)
        const { told: toldOfEach, ...restOfEach } = await ran(yaml, simple, batches)
        expect(rest).toEqual(restOfEach)
        // Without a second in which time goes through them, what each dropped last is not told.
        for (const [step, list] of Object.entries(told)) {
          const before = toldOfEach[step] ?? []
          expect(list.filter(line => before.includes(line) || line.endsWith('true'))).toEqual(before)
        }
      },
    ),
    runs(60, 8),
  )
})

function often(usual: string, ...others: string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, fc.constantFrom(...others))
}

function configOf(rules: readonly { regex: string; more: string; first: string }[]): string {
  const pipelines = rules.map(({ first }, n) => {
    const before = first === 'parser' ? '' : `${first}, `
    return `logs/${n}: {receivers: [test], processors: [${before}parser/${n}, throttle], exporters: [test]}`
  })
  const parsers = rules.map(({ regex, more }, n) => `parser/${n}: {regex: '${regex}'${more}}`)
  return `
receivers: {test: {}}
processors: {filter: {log_conditions: ['body == "fine"']}, broken: {}, throttle: {count: 2, window: 1h}, ${parsers.join(', ')}}
exporters: {test: {}}
extensions: {test: {}}
service: {extensions: [test], telemetry: {metrics: {readers: []}}, pipelines: {${pipelines.join(', ')}}}`
}

function withoutScreen(create: ProcessorFactory['create']): ProcessorFactory['create'] {
  return context => {
    const { screen: _, ...mapper } = create(context) as Mapper
    return mapper
  }
}

/** What came out, what was counted, and what an extension was told. */
async function ran(yaml: string, parser: object, batches: readonly Records[]) {
  const sent: string[] = []
  const told: Record<string, string[]> = {}
  let counted: readonly string[] = []
  let offered: Promise<unknown> = Promise.resolve()
  const receiver = defineReceiver({
    ...ABOUT,
    create: () => ({
      async start(intake: Intake) {
        offered = Promise.all(
          batches.map(async records => {
            const answer = await intake.offer(records)
            expect(answer).toMatchObject({ deadLettered: expect.any(Number) })
          }),
        )
      },
      async stop() {},
      watermark: () => undefined,
    }),
  })
  const exporter = defineExporter({
    ...ABOUT,
    create: () => ({
      async send({ pipeline, records }) {
        for (const { id, attributes } of records) sent.push(`${pipeline} ${id} ${Object.entries(attributes)}`)
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
            .filter(({ name }) => /processor|parser|receiver/.test(name))
            .map(({ name, labels, value }) => `${name} ${JSON.stringify(labels)} ${value}`)
            .sort()
        },
        observe: () => ({
          processed(pipeline: string, processor: string, incoming: Records, outgoing: Records) {
            const list = told[`${pipeline} ${processor}`] ?? []
            told[`${pipeline} ${processor}`] = list
            const left = new Set(outgoing.map(({ id }) => id))
            list.push(...incoming.map(({ id }) => `${id} ${left.has(id)}`))
          },
        }),
      }
    },
  })
  const broken = defineProcessor({
    ...ABOUT,
    type: 'broken',
    create: () => ({
      process() {
        throw new Error('broken')
      },
      screen: {
        group: BROKEN,
        member() {
          return 'broken'
        },
        dropped() {},
      },
    }),
  })
  const collector = createCollector({
    config: `yaml:${yaml}`,
    components: [
      receiver,
      exporter,
      extension,
      broken,
      parser as typeof parserProcessor,
      ...all.filter(({ kind, type }) => kind === 'processor' && /^(filter|throttle)$/.test(type)),
    ],
    logger: QUIET,
  })
  await collector.start()
  await offered
  const report = await collector.stop()
  for (const list of Object.values(told)) list.sort()
  return { sent: sent.sort(), told, counted, report }
}

const ABOUT = {
  api: 1,
  type: 'test',
  stability: 'stable',
  description: 'Of a test.',
  schema: { type: 'object', additionalProperties: false },
} as const

const BROKEN = {
  wanting(): never {
    throw new Error('broken too')
  },
}

const QUIET = { debug() {}, info() {}, warn() {}, error() {}, child: () => QUIET } as never
