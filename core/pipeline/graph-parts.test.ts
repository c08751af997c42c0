import { createNoopMeter } from '@opentelemetry/api'
import fc from 'fast-check'
import { map, merge, mergeMap, type OperatorFunction, Subject, take } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { runs } from '../../test/support/property.js'
import type { Batch, Busy, Records, Settled } from '../component/index.js'
import { Gate } from '../delivery/index.js'
import { settleMicrotasks, VirtualClock } from '../testing/clock.js'
import { sampleRecord } from '../testing/records.js'
import { Obligation, PipelineBatch } from './batch.js'
import type { Sink, Step } from './compose.js'
import { guardRaw } from './guard-raw.js'
import { ReceiverIntake } from './intake.js'
import { liftMapper } from './lift-mapper.js'
import { Pipeline } from './pipeline.js'
import type { Restarts } from './restarts.js'

const records = (count: number): Records =>
  Array.from({ length: count }, (_, index) => sampleRecord({ id: `r${index}`, body: `line ${index}` }))

describe('a batch settles exactly once, when its last part does', () => {
  test('whatever is split, joined and settled on the way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (moves, picks) => {
          let settled = 0
          const parts: PipelineBatch[] = [0, 1].map(
            () => new PipelineBatch(records(1), [new Obligation(() => settled++)]),
          )
          const pick = (): PipelineBatch => {
            const index = (picks.next().value as number) % parts.length
            return parts.splice(index, 1)[0] as PipelineBatch
          }
          for (const [ways, join] of moves) {
            if (join && parts.length > 1) parts.push(pick().join([pick()], records(1)))
            else if (parts.length > 0)
              parts.push(...pick().split(Array.from({ length: ways + 1 }, () => records(1))))
          }
          while (parts.length > 0) {
            expect(settled).toBeLessThan(2)
            pick().settle()
          }
          expect(settled).toBe(2)
        },
      ),
      runs(),
    )
  })

  test('settling twice is a mistake that shows', () => {
    const batch = new PipelineBatch([], [new Obligation(() => {})])
    batch.settle()
    expect(() => batch.settle()).toThrow(/twice/)
  })

  test('release reaches the hooks of joined batches when all their sources released', () => {
    const settlements: Settled[] = []
    const one = new PipelineBatch(records(1), [new Obligation(settled => settlements.push(settled))])
    const two = new PipelineBatch(records(1), [new Obligation(settled => settlements.push(settled))])
    const joined = one.join([two], records(2))
    let released = 0
    joined.onRelease(() => released++)
    joined.settle()
    settlements[0]?.release()
    expect(released).toBe(0)
    settlements[1]?.release()
    expect(released).toBe(1)
  })
})

describe('a pipeline', () => {
  test('keeps order, drops what nobody wants and settles it', async () => {
    const { offer, delivered } = assemble([
      liftMapper(
        { process: async all => all.filter(record => !String(record.body).endsWith('1')) },
        failing([]),
      ),
      liftMapper(
        { process: all => all.map(record => record.patch({ body: `<${record.body}>` })) },
        failing([]),
      ),
    ])
    const answers = [offer(records(3)), offer([sampleRecord({ body: 'x1' })]), offer(records(1))]
    expect(await Promise.all(answers)).toMatchObject([
      { deadLettered: 0 },
      { deadLettered: 0 },
      { deadLettered: 0 },
    ])
    expect(delivered.map(record => record.body)).toEqual(['<line 0>', '<line 2>', '<line 0>'])
  })

  test('takes what comes while a large request goes in turn by turn behind it', async () => {
    let turns = 0
    let over = false
    const tick = (): void => {
      turns++
      if (!over) setImmediate(tick)
    }
    setImmediate(tick)
    // Longer than a slice of time each, however many records are in it.
    const work = (): void => {
      for (const until = performance.now() + 4; performance.now() < until; );
    }
    const { offer, intake, delivered } = assemble([], [], undefined, work)
    const large = Array.from({ length: 5 }, (_, part) =>
      Array.from({ length: 1_500 }, (_, index) => sampleRecord({ body: `${part * 1_500 + index}` })),
    )
    const answers = [
      intake.offerAll(large),
      offer([sampleRecord({ body: 'behind' })]),
      intake.offerAll(large),
    ]
    expect(await Promise.all(answers)).toMatchObject(Array(3).fill({ deadLettered: 0 }))
    over = true
    expect(turns).toBeGreaterThanOrEqual(8)
    const one = large.flat().map(({ body }) => body)
    expect(delivered.map(({ body }) => body)).toEqual([...one, 'behind', ...one])
  })

  test('lives on when a processor throws or rejects; the batch is dead-lettered', async () => {
    const failures: string[] = []
    let turn = 0
    const { offer, delivered } = assemble([
      liftMapper(
        {
          process: all => {
            turn++
            if (turn === 1) throw new Error('thrown')
            return turn === 2 ? Promise.reject(new Error('rejected')) : all
          },
        },
        failing(failures),
      ),
    ])
    expect(await offer(records(2))).toMatchObject({ deadLettered: 2 })
    expect(await offer(records(1))).toMatchObject({ deadLettered: 1 })
    expect(await offer(records(1))).toMatchObject({ deadLettered: 0 })
    expect(failures).toEqual(['thrown', 'rejected'])
    expect(delivered).toHaveLength(1)
  })

  test('lives on when a processor answers no records, and says so', async () => {
    const failures: string[] = []
    for (const process of [() => undefined, async () => null]) {
      const { offer } = assemble([liftMapper({ process: process as never }, failing(failures))])
      expect(await offer(records(2))).toMatchObject({ deadLettered: 2 })
    }
    expect(failures).toEqual([
      'process() answered undefined, not an array of records',
      'process() answered null, not an array of records',
    ])
  })

  test('lives on when a raw operator errors', async () => {
    const failures: string[] = []
    const breaks: OperatorFunction<Batch, Batch> = source =>
      source.pipe(
        map(batch => {
          if (batch.records.some(record => record.body === 'bad')) throw new Error('broken')
          return batch
        }),
      )
    const { offer, delivered } = assemble([
      guardRaw({ operator: breaks }, failing(failures), restarts().restarts),
    ])
    expect(await offer([sampleRecord({ body: 'bad' })])).toMatchObject({ deadLettered: 1 })
    expect(await offer([sampleRecord({ body: 'good' })])).toMatchObject({ deadLettered: 0 })
    expect(failures).toEqual(['broken'])
    expect(delivered.map(record => record.body)).toEqual(['good'])
  })

  test('a raw operator may split batches', async () => {
    const split: OperatorFunction<Batch, Batch> = source =>
      source.pipe(mergeMap(batch => batch.split(batch.records.map(record => [record]))))
    const { offer, delivered } = assemble([guardRaw({ operator: split }, failing([]), restarts().restarts)])
    expect(await offer(records(3))).toMatchObject({ deadLettered: 0 })
    expect(delivered).toHaveLength(3)
  })

  test('starts a raw operator again after 5 s that breaks down by itself; what comes meanwhile waits', async () => {
    const faults = new Subject<never>()
    let made = 0
    const counted: OperatorFunction<Batch, Batch> = source => {
      made++
      // Broken at its second start, and ends after one batch at the third.
      if (made === 2) throw new Error('no luck')
      if (made === 1) return merge(source, faults)
      return made === 3 ? source.pipe(take(1)) : source
    }
    const { clock, restarts: told, log } = restarts()
    const { offer, delivered, intake, pipeline } = assemble([
      guardRaw({ operator: counted }, failing([]), told),
    ])
    await offer(records(1))
    faults.error(new Error('stream lost'))
    expect(log).toEqual(['down: stream lost'])
    const waiting = [offer(records(1)), offer(records(1)), offer(records(1))]
    await clock.advance(4_999)
    expect(made).toBe(1)
    await clock.advance(1)
    expect(log.slice(1)).toEqual(['starting', 'down: no luck'])
    expect(delivered).toHaveLength(1)
    await clock.advance(5_000)
    expect(log.slice(3)).toEqual(['starting', 'down: The operator ended before its input did'])
    expect(delivered).toHaveLength(2)
    // A stop does not wait for it.
    await intake.close()
    await pipeline.close(new AbortController().signal)
    expect(await Promise.all(waiting)).toMatchObject([{ deadLettered: 0 }, {}, {}])
    expect(delivered).toHaveLength(4)
    expect(clock.pending).toBe(0)
  })

  test('a raw operator that emits no batch is told so', async () => {
    const failures: string[] = []
    const wrong = map(() => 'text') as unknown as OperatorFunction<Batch, Batch>
    const { offer } = assemble([guardRaw({ operator: wrong }, failing(failures), restarts().restarts)])
    expect(await offer(records(1))).toMatchObject({ deadLettered: 1 })
    expect(failures).toEqual(['The operator emitted string, not a batch'])
  })

  test('stands still while an output is full, answers busy, and goes on', async () => {
    const full = manualOutput()
    const { offer, intake } = assemble([], [full.output])
    const first = offer(records(1))
    expect(await offer(records(1))).toMatchObject({ busy: true, reason: 'pipeline_full' })
    let ready = false
    void intake.ready().then(() => {
      ready = true
    })
    await settleMicrotasks()
    expect(ready).toBe(false)
    full.makeRoom()
    await settleMicrotasks()
    expect(ready).toBe(true)
    full.settleAll()
    expect(await first).toMatchObject({ deadLettered: 0 })
  })

  test('a fan-out settles when every output has', async () => {
    const slow = manualOutput()
    const { offer, delivered } = assemble([], [slow.output])
    let settled = false
    const answer = offer(records(2)).then(() => {
      settled = true
    })
    slow.makeRoom()
    await settleMicrotasks()
    expect(delivered).toHaveLength(2)
    expect(settled).toBe(false)
    slow.settleAll()
    await answer
  })

  test('what a receiver has unsettled is bounded', async () => {
    const slow = manualOutput()
    slow.makeRoom()
    const { offer } = assemble([], [slow.output])
    const answers: (Busy | undefined)[] = []
    for (let turn = 0; turn < 1_001; turn++) {
      answers.push(
        await Promise.race([offer(records(1)).then(answer => answer as Busy), Promise.resolve(undefined)]),
      )
      await Promise.resolve()
    }
    await settleMicrotasks()
    expect(await offer(records(1))).toMatchObject({ busy: true, reason: 'too_many_unsettled' })
  })

  test('time comes out behind the records that were before it', async () => {
    const seen: string[] = []
    const slow = liftMapper(
      {
        process: async all => {
          await settleMicrotasks()
          return all
        },
      },
      failing([]),
    )
    const { offer, pipeline } = assemble(
      [slow],
      [],
      watermark => seen.push(`time ${watermark}`),
      all => {
        seen.push(...all.map(record => String(record.body)))
      },
    )
    const answer = offer(records(1))
    pipeline.advance(7n)
    await answer
    await settleMicrotasks()
    expect(seen).toEqual(['line 0', 'time 7'])
  })

  test('a batch that waits counts as refused once, however often it is offered', async () => {
    const refused: [number, string][] = []
    const { intake, offer } = assemble([], [], undefined, undefined, (...told) => refused.push(told))
    intake.close()
    const batch = records(3)
    for (let turn = 0; turn < 3; turn++) expect((await offer(batch)).busy).toBe(true)
    await offer(records(3))
    expect(refused).toEqual([
      [3, 'stopping'],
      [3, 'stopping'],
    ])
  })
})

function assemble(
  processors: readonly Step[],
  more: readonly Sink[] = [],
  onTime: (watermark: bigint) => void = () => {},
  onDelivered: (all: Records) => void = () => {},
  onRefused: (records: number, reason: string) => void = () => {},
) {
  const gate = new Gate()
  const batches = new Subject<PipelineBatch>()
  const delivered: Records[number][] = []
  const sink: Sink = {
    full: false,
    take: batch => {
      delivered.push(...batch.records)
      onDelivered(batch.records)
      batch.settle()
      return undefined
    },
  }
  const pipeline = new Pipeline({
    sources: [batches],
    processors,
    exporters: [sink, ...more],
    admit: [],
    gate,
    onTime,
    onCrash: error => {
      throw error
    },
  })
  const counter = createNoopMeter().createCounter('test')
  const intake = new ReceiverIntake({
    receiver: 'test',
    asked: [pipeline],
    inlets: [{ way: batches }],
    sieves: [undefined],
    looks: () => false,
    clock: new VirtualClock(),
    metrics: { accepted: counter, refused: counter, discarded: counter },
    onRefused,
    gate,
    onEnd: () => {},
  })
  return { pipeline, intake, delivered, offer: (all: Records) => intake.offer(all) }
}

function manualOutput() {
  const taken: PipelineBatch[] = []
  let makeRoom = (): void => {}
  const room = new Promise<void>(resolve => {
    makeRoom = resolve
  })
  let full = true
  return {
    output: {
      get full() {
        return full && taken.length > 0
      },
      take: (batch: PipelineBatch) => {
        taken.push(batch)
        return full ? room : undefined
      },
    },
    makeRoom() {
      full = false
      makeRoom()
    },
    settleAll() {
      for (const batch of taken.splice(0)) batch.settle()
    },
  }
}

function restarts() {
  const clock = new VirtualClock()
  const log: string[] = []
  const told: Restarts = {
    clock,
    down: error => log.push(`down: ${(error as Error).message}`),
    starting: () => log.push('starting'),
    up: () => log.push('up'),
  }
  return { clock, log, restarts: told }
}

function failing(into: string[]) {
  return async (batch: PipelineBatch, error: unknown): Promise<void> => {
    into.push((error as Error).message)
    batch.settle(batch.records.length)
  }
}
