import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import {
  type AnyFactory,
  type ComponentContext,
  createRecord,
  defineExporter,
  defineProcessor,
  defineReceiver,
  type Exporter,
  type Intake,
  type LogRecord,
  type Processor,
  type Records,
  toText,
} from '../../component/index.js'
import { sampleRecord } from '../records.js'
import type { ConformanceCheck } from './check.js'
import { exporterConformance } from './exporter.js'
import { factoryConformance } from './factory.js'
import { keyValueConformance } from './key-value.js'
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

/** An exporter whose destination is a list of texts. */
function exporter(
  send: (records: Records, signal: AbortSignal, context: Context, destination: string[]) => unknown,
  { received = (texts: string[]): number | string[] => texts.length, ...flags } = {},
): readonly ConformanceCheck[] {
  let texts: string[] = []
  return exporterConformance({
    factory: defineExporter({
      ...about,
      ...flags,
      create: context =>
        ({ send: async ({ records }, signal) => send(records, signal, context, texts) }) as Exporter,
    }),
    destination: () => {
      texts = []
      return {
        config: {},
        received: () => received(texts),
        stall: () => Object.freeze(texts),
        fail: () => void Object.freeze(texts),
      }
    },
    secrets: ['s3cret'],
  })
}

const bodies = (records: Records): string[] => records.map(record => toText(record.body))

/** A receiver of a list of lines: `read` offers those that were fed since. */
function receiver(
  read: (lines: string[], intake: Intake, context: Context) => Promise<void>,
  /** A new instance begins. */
  begins: () => void = () => undefined,
): readonly ConformanceCheck[] {
  let lines: string[] = []
  let fed = 0
  return receiverConformance({
    rereads: true,
    factory: defineReceiver({
      ...about,
      create: context => {
        let cancel = (): void => {}
        return {
          async start(intake) {
            begins()
            const tick = (): void => {
              const next = (): void => {
                cancel = context.clock.schedule(10, tick)
              }
              void read(lines, intake, context).then(next)
            }
            tick()
          },
          stop: async () => cancel(),
          watermark: () => context.clock.now(),
        }
      },
    }),
    source: () => {
      lines = []
      return {
        config: {},
        feed: count => {
          const more = Array.from({ length: count }, () => `line ${++fed};`)
          lines.push(...more)
          return more
        },
      }
    },
  })
}

const lineRecord = (body: string): LogRecord => createRecord({ id: body, observedTimestamp: 1n, body })

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

test('a processor that spreads records, which are views', async () => {
  const spreading = processor(() => ({
    process: (records: Records) => records.map(record => ({ ...record, body: 'x' })),
  }))
  expect(await said(spreading, 'survives awkward records')).toContain('use createRecord(), with() or patch()')
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
  expect(await said(ticking, 'keeps no timer after stop, and none but those of its clock')).toContain(
    'still set after stop(): 1',
  )
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

test("an exporter that says 'ok' for what the destination did not take: a status unread, an error swallowed", async () => {
  const name = "does not say 'ok' for what the destination did not take"
  const post = (records: Records, texts: string[]): number => {
    if (Object.isFrozen(texts)) return 500
    texts.push(...bodies(records))
    return 200
  }
  const unread = exporter((records, _, __, texts) => post(records, texts) && 'ok')
  expect(await said(unread, name)).toMatch(/'ok' though the destination failed.*status of the answer/)
  const read = exporter((records, _, __, texts) =>
    post(records, texts) === 200 ? 'ok' : { reason: 'later' },
  )
  expect(await said(read, name)).toBeUndefined()
  const throwing = exporter((records, _, __, texts) => texts.push(...bodies(records)) && 'ok')
  expect(await said(throwing, name)).toBeUndefined()

  const swallows = exporter(async (records, signal, _, texts) => {
    if (!signal.aborted) texts.push(...bodies(records))
    return 'ok'
  })
  expect(await said(swallows, 'gives up when it is told to')).toContain(
    "'ok' when its signal was aborted, and nothing arrived",
  )
})

test('an exporter of three records that is one request: notifying was left out', async () => {
  const name = 'delivers each record of a request'
  const one = exporter((records, _, __, texts) => texts.push(bodies(records).join('\n')) && 'ok')
  expect(await said(one, name)).toMatch(
    /3 records in one request, answered 'ok', and 1 arrived.*notifying: true/,
  )
  const first = exporter((records, _, __, texts) => texts.push(bodies(records)[0] as string) && 'ok', {
    notifying: true,
  } as object)
  expect(await said(first, name)).toBeUndefined()
})

test('an exporter whose records or requests arrive out of order', async () => {
  const received = (texts: string[]): string[] => texts
  const reversed = exporter((records, _, __, texts) => texts.push(...bodies(records).reverse()) && 'ok', {
    received,
  })
  expect(await said(reversed, 'delivers each record of a request')).toContain('"third" came before "second"')
  // The longer, the later, as with any destination.
  const overtaking = async (
    records: Records,
    _: AbortSignal,
    __: Context,
    texts: string[],
  ): Promise<string> => {
    const all = bodies(records)
    for (let turn = 0; turn < all.join('').length / 1_000; turn++) await new Promise(setImmediate)
    texts.push(...all)
    return 'ok'
  }
  const atOnce = 'takes the requests that the core sends at once'
  expect(await said(exporter(overtaking, { received }), `${atOnce} (10)`)).toMatch(
    /another order .*up to 10 send\(\) at once. Write ordered: true/,
  )
  expect(await said(exporter(overtaking), `${atOnce} (10)`)).toBeUndefined()
  expect(
    await said(exporter(overtaking, { received, ordered: true } as object), `${atOnce} (1)`),
  ).toBeUndefined()
})

test('an exporter that keeps what belongs to one request', async () => {
  let pending: string[] = []
  const shared = exporter(async (records, _, __, texts) => {
    pending = bodies(records)
    await new Promise(setImmediate)
    texts.push(...pending)
    pending = []
    return 'ok'
  })
  expect(await said(shared, 'takes the requests that the core sends at once (10)')).toMatch(
    /of 20 requests, 10 at a time, \d+ arrived/,
  )
})

test('an exporter that ignores its signal, or looks at it once', async () => {
  const name = 'gives up when it is told to'
  const ignores = exporter((records, _, __, texts) => texts.push(...bodies(records)) && 'ok')
  expect(await said(ignores, name)).toContain('never looked at it')
  const never = (signal: AbortSignal | undefined): Promise<string> =>
    new Promise(resolve => signal?.addEventListener('abort', () => resolve('aborted')))
  const waiting = (listens: boolean) =>
    exporter(async (records, signal, _, texts) => {
      if (signal.aborted) return { reason: 'aborted' }
      if (Object.isFrozen(texts)) return { reason: await never(listens ? signal : undefined) }
      texts.push(...bodies(records))
      return 'ok'
    })
  expect(await said(waiting(false), name)).toContain('looking at signal.aborted once is not enough')
  expect(await said(waiting(true), name)).toBeUndefined()
}, 15_000)

test('timers of Node, in each kind and in what its clock runs', async () => {
  const sleep = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 1))
  const said1 = await said(
    exporter(() => sleep().then(() => 'ok')),
    'keeps no timer after stop, and none but those of its clock',
  )
  expect(said1).toMatch(/called in .*conformance\.test\.ts:\d+:\d+: use clock\.schedule/)
  const promised = processor(() => ({ process: (records: Records) => delay(1, records) }))
  expect(await said(promised, 'keeps no timer after stop, and none but those of its clock')).toContain(
    'conformance.test.ts',
  )
  const ticking = receiver(async (lines, intake) => {
    await sleep()
    for (const line of lines.splice(0)) void intake.offer([lineRecord(line)])
  })
  expect(
    await said(ticking, 'offers nothing after stop, keeps no timer, and sets none but those of its clock'),
  ).toContain('conformance.test.ts')
})

test('a processor whose records come out in another order', async () => {
  const reversing = processor(() => ({ process: (records: Records) => [...records].reverse() }))
  expect(await said(reversing, 'keeps the order of its records')).toContain(
    'keep the order in which they came',
  )
})

test('a processor that keeps what its screen says that it drops', async () => {
  const screen = { group: { wanting: () => [] }, member: () => 1, dropped: () => {} }
  const name = 'drops what its screen says that it would'
  const keeping = processor(() => ({ process: (records: Records) => records, screen }))
  expect(await said(keeping, name)).toContain('answered 1 records of a batch that it does not want')
  expect(
    await said(
      processor(() => ({ process: () => [], screen })),
      name,
    ),
  ).toBeUndefined()
})

test('a keyed processor whose state does not survive, or whose step is not pure', async () => {
  const name = 'has pure steps whose state and outcome survive their codecs'
  const json = { encode: JSON.stringify, decode: JSON.parse }
  const keyed = (step: (state: unknown) => unknown, more: object = {}) =>
    processorConformance({
      factory: defineProcessor({
        ...about,
        create: () =>
          ({
            storage: undefined,
            maxKeys: 10,
            state: json,
            outcome: json,
            select: (records: Records) => records.map(() => [{ key: 'k', data: 1 }]),
            step,
            join: (record: LogRecord) => [record],
            ...more,
          }) as unknown as Processor,
      }),
      config: {},
      records: [sampleRecord(), sampleRecord()],
    })
  const mutating = (state: unknown) => {
    const next = (state ?? { n: 0 }) as { n: number }
    next.n++
    return { state: next, outcome: 'x', reason: 'r' }
  }
  expect(await said(keyed(mutating), name)).toContain('answer a new object')
  const blind = keyed(() => ({ state: 1, outcome: 'x', reason: 'r' }), { touches: () => false })
  expect(await said(blind, name)).toContain('touches() answered false')
  const silent = (state: unknown) => ({ state: state ?? 1, outcome: undefined, reason: 'quiet' })
  expect(await said(keyed(silent), name)).toContain('no outcome for a record (reason "quiet")')
  const lossy = () => ({ state: 1, outcome: new Map([[1, 2]]), reason: 'r' })
  expect(await said(keyed(lossy), name)).toContain('the outcome does not survive its codec')
})

test('a keyed processor whose functions answer what they must not', async () => {
  const right = {
    storage: undefined,
    maxKeys: 10,
    state: { encode: String, decode: Number },
    outcome: { encode: String, decode: Boolean },
    select: (records: Records): unknown => records.map(() => [{ key: 'k', data: undefined }]),
    step: (): unknown => ({ state: 1, outcome: true, reason: 'x' }),
    join: (record: LogRecord): unknown => [record],
  }
  const says = (wrong: Partial<typeof right>, name = 'survives awkward records') =>
    said(
      processor(() => ({ ...right, ...wrong })),
      name,
    )
  expect(await says({})).toBeUndefined()
  for (const select of [() => undefined, () => [], (all: Records) => all.map(() => ({ key: 'k' }))])
    expect(await says({ select })).toContain('one list of { key, data } for each record')
  for (const step of [() => undefined, async () => right.step()])
    expect(await says({ step })).toContain('it must answer { state, outcome, due?, reason }')
  expect(
    await says({ step: () => undefined }, 'has pure steps whose state and outcome survive their codecs'),
  ).toContain('it must answer { state')
  expect(await says({ join: () => undefined })).toContain('join() answered undefined')
})

test('a receiver that gives two records one id', async () => {
  const same = receiver(async (lines, intake) => {
    for (const line of lines.splice(0)) void intake.offer([lineRecord('same').patch({ body: line })])
  })
  expect(await said(same, 'offers what the source has, each record with its own id')).toContain('have 1 ids')
})

test('a receiver that waits for one batch before the next, or comes back to a busy one too late', async () => {
  const waiting = receiver(async (lines, intake) => {
    const taken = lines.splice(0)
    if (taken.length > 0) await intake.offer(taken.map(lineRecord))
  })
  expect(await said(waiting, 'goes on before its batches have settled')).toContain(
    'of 6 records 3 were offered',
  )
  const later: string[] = []
  const overtaking = receiver(async (lines, intake) => {
    for (const line of [...lines.splice(0), ...later.splice(0).reverse()]) {
      const answer = await Promise.race([intake.offer([lineRecord(line)]), undefined])
      if (answer?.busy) later.push(line)
    }
  })
  expect(await said(overtaking, 'keeps the order of its source, after a busy answer too')).toMatch(
    /another order .* came before/,
  )
})

test('a receiver that loses, or tells again, what a restart interrupts', async () => {
  interface Wrong {
    readonly early?: boolean
    readonly chance?: boolean
    readonly keeps?: boolean
    readonly forgets?: boolean
  }
  let read = 0
  const reading = (wrong: Wrong) =>
    receiver(
      async (lines, intake, { storage, random }) => {
        const mark = async (): Promise<number> => Number((await storage().get('mark'))?.[0] ?? 0)
        const write = (value: number) => storage().write([{ key: 'mark', value: Uint8Array.of(value) }])
        const from = Math.max(read, await mark())
        const taken = lines.slice(from)
        if (taken.length === 0) return
        read = from + taken.length
        if (wrong.early) await write(read)
        const records = taken.map(line =>
          createRecord({ id: wrong.chance ? `${random()}` : line, body: line }),
        )
        void intake.offer(records).then(async answer => {
          if (answer.busy) {
            read = from
            return
          }
          if (!wrong.forgets) await write(from + taken.length)
          if (!wrong.keeps) answer.release()
        })
      },
      () => {
        read = 0
      },
    )
  const unsettled = 'offers after a restart what had not settled, under the same ids'
  const settled = 'offers nothing after a restart that had settled, and releases it'
  expect([await said(reading({}), unsettled), await said(reading({}), settled)]).toEqual([
    undefined,
    undefined,
  ])
  for (const wrong of [{ early: true }, { chance: true }])
    expect(await said(reading(wrong), unsettled)).toContain('write the checkpoint when a batch settles')
  expect(await said(reading({ keeps: true }), settled)).toContain('1 of 1 batches had settled and were not')
  expect(await said(reading({ forgets: true }), settled)).toContain('of 2 new records 7 came')
})

test('a factory of another contract', async () => {
  const old = processorConformance({
    factory: { ...defineProcessor({ ...about, create: () => ({ process: r => r }) }), api: 0 as 1 },
    config: {},
  })
  expect(await said(old, 'is written against this version of the contract')).toContain('docs/contract.md')
})

test('a create() that answers no component, and calls that never end', async () => {
  const send = async () => 'ok'
  const made = (component: unknown) =>
    said(
      exporterConformance({
        factory: defineExporter({ ...about, create: () => component as Exporter }),
        destination: () => ({ config: {}, received: () => 1 }),
      }),
      'tells no secrets',
    )
  expect(await made(undefined)).toBe('create() answered nothing; it must return the exporter')
  expect(await made(Promise.resolve({ send }))).toContain('what takes time belongs into start()')
  expect(await made({})).toBe('create() answered an object without send')
  expect(await made({ send })).toBeUndefined()
  expect(
    await said(
      processor(() => undefined),
      'survives awkward records',
    ),
  ).toContain('must return the processor')

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const never = () => new Promise<never>(() => undefined)
    for (const [call, component] of Object.entries({
      'send()': { send: never },
      'start()': { send, start: never },
      'stop()': { send, stop: never },
    })) {
      const says = made(component)
      await vi.advanceTimersByTimeAsync(60_000)
      expect(await says).toContain(`${call} had not ended after 20 s`)
    }
    const says = said(
      processor(() => ({ process: never })),
      'survives awkward records',
    )
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await says).toContain('process() had not ended after 20 s')
  } finally {
    vi.useRealTimers()
  }
})

test('an exporter that takes the list of records apart', async () => {
  const shifting = exporter((records, _signal, _context, destination) => {
    const mine = records as LogRecord[]
    for (let next = mine.shift(); next; next = mine.shift()) destination.push(toText(next.body))
    return 'ok'
  })
  expect(await said(shifting, 'leaves the records it is handed as they are')).toContain('copy it first')
})

test.each([
  [undefined, 'schema is undefined, and no schema'],
  [{ type: 'objekt' }, "schema.type: 'objekt' is none of string"],
  [{ properties: { a: 'string' } }, "schema.properties.a is 'string', and no schema"],
  [{ properties: { a: null } }, 'schema.properties.a is null, and no schema'],
  [
    { properties: { a: { items: { format: 'durations' } } } },
    "a.items.format: 'durations' is none of duration",
  ],
  [{ properties: { a: { pattern: '(' } } }, 'is no regular expression'],
  [{ properties: { a: { type: 'integer', default: '5' } } }, "a.default: '5' is not of the type integer"],
  [{ properties: { a: { required: true } } }, 'a.required: true must be a list of keys'],
  [{ properties: { a: {} }, required: ['b'] }, "schema.required: [ 'b' ] must be"],
  [{ anyOf: [{ additionalProperties: { type: 'text' } }] }, 'schema.anyOf[0].additionalProperties.type'],
])('a factory whose schema is %j', async (schema, mistake) => {
  const { kind } = defineExporter({ ...about, create: () => ({ send: async () => 'ok' }) })
  const checks = factoryConformance({
    ...about,
    kind,
    schema,
    create: () => undefined,
  } as unknown as AnyFactory)
  expect(await said(checks, 'has a schema without mistakes')).toContain(mistake)
  for (const name of ['describes every option', 'names its options in snake_case'])
    expect((await said(checks, name)) ?? '').not.toContain('Cannot read')
})

test('a store that keeps nothing is told the rule', async () => {
  const nothing = { get: async () => undefined, write: async () => {}, range: async () => [] }
  expect(
    await said(
      keyValueConformance('mine', () => nothing),
      'mine: keeps an empty value apart from none',
    ),
  ).toMatch(/^It must hold that it keeps an empty value apart from none; this one differs/)
})
