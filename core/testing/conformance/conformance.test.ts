import { expect, test } from 'vitest'
import {
  type ComponentContext,
  createRecord,
  defineExporter,
  defineProcessor,
  defineReceiver,
  type Exporter,
  type LogRecord,
  type Processor,
  type Records,
} from '../../component/index.js'
import type { ConformanceCheck } from './check.js'
import { exporterConformance } from './exporter.js'
import { processorConformance } from './processor.js'
import { receiverConformance } from './receiver.js'

const about = {
  api: 1,
  type: 'wrong',
  stability: 'alpha',
  description: 'Does something that no component may do.',
  schema: { type: 'object', properties: {}, additionalProperties: false },
} as const

type Context = ComponentContext<object>

function processor(create: (context: Context) => unknown): readonly ConformanceCheck[] {
  return processorConformance({
    factory: defineProcessor({ ...about, create: context => create(context) as Processor }),
    config: {},
  })
}

function exporter(
  send: (records: Records, signal: AbortSignal, context: Context) => unknown,
): readonly ConformanceCheck[] {
  return exporterConformance({
    factory: defineExporter({
      ...about,
      create: context =>
        ({ send: async ({ records }, signal) => send(records, signal, context) }) as Exporter,
    }),
    destination: () => ({ config: {}, received: () => 0 }),
    secrets: ['s3cret'],
  })
}

/** What the check that fails says; nothing where it passes. */
async function said(checks: readonly ConformanceCheck[], name: string): Promise<string | undefined> {
  const check = checks.find(each => each.name === name)
  if (!check) throw new Error(`there is no check "${name}"`)
  return check.run().then(
    () => undefined,
    (error: Error) => error.message,
  )
}

function maps(record: LogRecord): Record<string, unknown>[] {
  return Object.values(record.attributes).filter(
    value =>
      typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !Array.isArray(value),
  ) as Record<string, unknown>[]
}

test('a processor that changes its records in place, deep inside too', async () => {
  const name = 'leaves the records it is handed as they are'
  const changing = processor(() => ({
    process: (records: Records) => {
      for (const map of records.flatMap(maps)) map.changed = true
      return records
    },
  }))
  expect(await said(changing, name)).toContain('use with() or patch()')
  expect(
    await said(
      processor(() => ({ process: (records: Records) => records })),
      name,
    ),
  ).toBeUndefined()
})

test('a processor that answers nothing, or no records', async () => {
  const name = 'survives awkward records'
  expect(
    await said(
      processor(() => ({ process: () => undefined })),
      name,
    ),
  ).toContain('answered undefined')
  expect(
    await said(
      processor(() => ({ process: () => [{}] })),
      name,
    ),
  ).toContain('no record')
})

test('a processor that is not the same twice, or leaves a timer', async () => {
  let count = 0
  const random = processor(() => ({
    process: (records: Records) => records.map(record => record.patch({ body: ++count })),
  }))
  expect(await said(random, 'gives the same answer again for the same records')).toContain(
    'come out the same',
  )
  const ticking = processor(({ clock }) => ({
    start: async () => void clock.schedule(1, () => {}),
    process: (records: Records) => records,
  }))
  expect(await said(ticking, 'keeps no timer after stop')).toContain('still set after stop(): 1')
})

test('an exporter that claims, refuses, leaks', async () => {
  const claims = exporter(() => 'ok')
  expect(await said(claims, 'delivers what it says it delivered')).toContain(
    "'ok' for 1 record, and 0 arrived",
  )
  const refuses = exporter(() => ({ refused: [0], reason: 'too odd' }))
  expect(await said(refuses, 'survives awkward records')).toContain("reason: 'too odd'")
  const tells = exporter((_, __, { logger }) => logger.info('s3cret') ?? 'ok')
  expect(await said(tells, 'tells no secrets')).toContain('a secret')
})

test('a receiver that gives two records one id', async () => {
  let left = 0
  const checks = receiverConformance({
    factory: defineReceiver({
      ...about,
      create: ({ clock }) => ({
        async start(intake) {
          const tick = (): void => {
            for (; left > 0; left--) void intake.offer([createRecord({ id: 'same', observedTimestamp: 1n })])
            clock.schedule(10, tick)
          }
          tick()
        },
        async stop() {},
        watermark: () => 0n,
      }),
    }),
    source: () => ({
      config: {},
      feed: count => {
        left += count
      },
    }),
  })
  expect(await said(checks, 'offers what the source has, each record with its own id')).toContain(
    'have 1 ids',
  )
})
