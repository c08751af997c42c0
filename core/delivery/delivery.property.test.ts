import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { createRecord, type KeyValueStore, type Records, type Sent } from '../component/index.js'
import { memoryKeyValue } from '../state/memory-key-value.js'
import { seededRandom, settleMicrotasks, testContext, VirtualClock } from '../testing/index.js'
import { createDeadLetters } from './dead-letters.js'
import { createDelivery } from './delivery.js'
import type { CommonConfig } from './schema.js'
import { deliverySettings } from './settings.js'
import type { Delivery, DeliveryOptions } from './types.js'

type Step =
  | { readonly kind: 'enqueue'; readonly count: number; readonly pipeline: string }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'reload' }
  | { readonly kind: 'crash' }

const enqueue = fc.record({
  kind: fc.constant('enqueue' as const),
  count: fc.integer({ min: 1, max: 6 }),
  pipeline: fc.constantFrom('logs/a', 'logs/b'),
})
const advance = fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40_000 }) })
const reload = fc.constant({ kind: 'reload' as const })
const crash = fc.constant({ kind: 'crash' as const })

const setting = fc.record({
  notifying: fc.boolean(),
  seed: fc.nat(),
  // How often the destination does what, of 10.
  failing: fc.integer({ min: 0, max: 9 }),
  refusing: fc.integer({ min: 0, max: 3 }),
  capacity: fc.integer({ min: 1, max: 20 }),
  sizer: fc.constantFrom('requests' as const, 'items' as const),
  consumers: fc.integer({ min: 1, max: 3 }),
  batch: fc.option(
    fc.record({ min_size: fc.integer({ min: 0, max: 8 }), max_size: fc.integer({ min: 8, max: 9 }) }),
  ),
})

it('a memory queue delivers or dead-letters each record exactly once, through failures and reloads', async () => {
  const steps = fc.array(fc.oneof(enqueue, enqueue, advance, reload), { maxLength: 25 })
  await fc.assert(
    fc.asyncProperty(setting, steps, async (setting, steps) => {
      const world = await run(setting, steps, undefined)
      expect([...world.delivered, ...world.deadLettered].sort()).toEqual([...world.enqueued].sort())
      expect(world.settled).toBe(world.offered)
      expect(world.settledDeadLetters).toBe(world.deadLettered.length)
      expectOrder(setting, world)
    }),
    runs(100, 40),
  )
})

it('a durable queue loses nothing that it acknowledged, through crashes, failures and reloads', async () => {
  const steps = fc.array(fc.oneof(enqueue, enqueue, advance, reload, crash), { maxLength: 25 })
  await fc.assert(
    fc.asyncProperty(setting, steps, async (setting, steps) => {
      const store = memoryKeyValue()
      const world = await run(setting, steps, store)
      const reached = new Set([...world.delivered, ...world.deadLettered])
      expect(world.acknowledged.filter(id => !reached.has(id))).toEqual([])
      expect(await store.range('', '~', 10)).toEqual([])
      if (!steps.some(step => step.kind === 'crash')) {
        expect([...world.delivered, ...world.deadLettered].sort()).toEqual([...world.enqueued].sort())
        expectOrder(setting, world)
      }
    }),
    { ...runs(100, 40), examples: [CUT] },
  )
})

/** A request of which a batch took the beginning when the reload came. */
const CUT: [Setting, Step[]] = [
  {
    ...{ notifying: false, seed: 1237752509, failing: 0, refusing: 0, capacity: 3, sizer: 'requests' },
    ...{ consumers: 2, batch: { min_size: 4, max_size: 8 } },
  },
  [
    { kind: 'reload' },
    { kind: 'enqueue', count: 1, pipeline: 'logs/a' },
    { kind: 'enqueue', count: 3, pipeline: 'logs/a' },
    { kind: 'enqueue', count: 6, pipeline: 'logs/a' },
    { kind: 'advance', ms: 0 },
    { kind: 'reload' },
  ],
]

interface World {
  readonly enqueued: string[]
  readonly delivered: string[]
  readonly deadLettered: string[]
  readonly acknowledged: string[]
  offered: number
  settled: number
  settledDeadLetters: number
}

type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never

/** One consumer: what is delivered of a pipeline comes in the order in which it was enqueued. */
function expectOrder({ notifying, consumers }: Setting, { enqueued, delivered }: World): void {
  if (!notifying && consumers > 1) return
  for (const pipeline of ['logs/a', 'logs/b']) {
    const of = (ids: string[]): string[] => ids.filter(id => id.startsWith(pipeline))
    const reached = new Set(of(delivered))
    expect(of(delivered)).toEqual(of(enqueued).filter(id => reached.has(id)))
  }
}

async function run(
  setting: Setting,
  steps: readonly Step[],
  store: KeyValueStore | undefined,
): Promise<World> {
  const clock = new VirtualClock()
  const random = seededRandom(setting.seed)
  const world: World = {
    enqueued: [],
    delivered: [],
    deadLettered: [],
    acknowledged: [],
    offered: 0,
    settled: 0,
    settledDeadLetters: 0,
  }
  let healthy = false
  const send = async (records: Records, signal: AbortSignal): Promise<Sent> => {
    await clock.sleep(Math.floor(random() * 3) * 1_000, signal)
    // A request that is cut off here did not reach the destination.
    if (signal.aborted) throw signal.reason
    const dice = healthy ? 10 : random() * 10
    if (dice < setting.failing) {
      if (random() < 0.5) throw new Error('reset')
      return { reason: 'busy', ...(random() < 0.5 && { retryAfterMs: 3_000 }) }
    }
    const refused = [...records.keys()].filter(() => !healthy && random() * 10 < setting.refusing)
    world.delivered.push(...records.flatMap((record, index) => (refused.includes(index) ? [] : [record.id])))
    return refused.length > 0 ? { refused, reason: 'invalid' } : 'ok'
  }
  let life = { alive: true }
  const begin = async (inherit?: DeliveryOptions['inherit']): Promise<Delivery> => {
    const mine = life
    const delivery = newDelivery(setting, {
      clock,
      random,
      // A dead process does nothing and hears of nothing any more.
      exporter: { send: ({ records }, signal) => ifAlive(mine, () => send(records, signal)) },
      deadLetters: {
        add: ({ records }) =>
          ifAlive(mine, async () => {
            world.deadLettered.push(...records.map(record => record.id))
            return true
          }),
      },
      ...(store && { store: mortal(store, mine) }),
      ...(inherit && { inherit }),
    })
    await delivery.start()
    return delivery
  }
  let delivery = await begin()
  for (const step of steps) {
    if (step.kind === 'advance') await clock.advance(step.ms)
    else if (step.kind === 'enqueue') {
      const first = world.enqueued.length
      const ids = Array.from({ length: step.count }, (_, index) => `${step.pipeline} ${first + index}`)
      world.enqueued.push(...ids)
      world.offered++
      const records = ids.map(id => createRecord({ id, body: id }))
      void delivery.enqueue(records, step.pipeline, ({ deadLettered }) => {
        world.settled++
        world.settledDeadLetters += deadLettered
        world.acknowledged.push(...ids)
      })
    } else if (step.kind === 'reload') {
      const taken = delivery.takeOver(random() * 2_000)
      await clock.advance(5_000)
      delivery = await begin(await taken)
    } else {
      life.alive = false
      life = { alive: true }
      delivery = await begin()
    }
  }
  healthy = true
  // In steps, because a write takes turns of the event loop, which the virtual clock does not wait for.
  for (let step = 0; step < 300; step++) await clock.advance(2_000)
  const report = delivery.stop(60_000)
  await clock.advance(60_000)
  expect(await report).toMatchObject({ persisted: 0, dropped: 0 })
  if (!store) expect(clock.pending).toBe(0)
  return world
}

function newDelivery(
  { notifying, capacity, sizer, consumers, batch }: Setting,
  options: Pick<DeliveryOptions, 'clock' | 'random' | 'exporter' | 'store' | 'inherit'> & {
    deadLetters: Pick<DeliveryOptions['deadLetters'], 'add'>
  },
): Delivery {
  const { logger, meter } = testContext({ config: undefined })
  const queue = { queue_size: capacity, sizer, num_consumers: consumers, ...(batch && { batch }) }
  const config: CommonConfig = {
    sending_queue: queue,
    timeout: '1500ms',
    retry_on_failure: { max_elapsed_time: '1m' },
  }
  const { clock } = options
  const deadLetters = Object.assign(createDeadLetters({ clock, logger, meter }), options.deadLetters)
  return createDelivery({
    id: 'test',
    notifying,
    settings: deliverySettings(config, { notifying }),
    logger,
    meter,
    reportStatus: () => undefined,
    ...options,
    deadLetters,
  })
}

async function ifAlive<T>(life: { readonly alive: boolean }, task: () => Promise<T>): Promise<T> {
  const never = new Promise<T>(() => undefined)
  if (!life.alive) return never
  const result = await task()
  return life.alive ? result : never
}

function mortal(store: KeyValueStore, life: { readonly alive: boolean }): KeyValueStore {
  return {
    get: key => ifAlive(life, () => store.get(key)),
    range: (from, to, limit) => ifAlive(life, () => store.range(from, to, limit)),
    write: changes =>
      ifAlive(life, async () => {
        await settleMicrotasks()
        if (life.alive) await store.write(changes)
      }),
  }
}
