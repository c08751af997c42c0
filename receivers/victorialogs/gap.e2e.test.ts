import fc from 'fast-check'
import type { KeyValueStore } from 'tocsin/component'
import { collectingIntake, seededRandom, type VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { scaledClock } from '../../test/support/scaled-clock.js'
import {
  Harness,
  memoryStore,
  standing,
  tailing,
  tick,
  until,
} from '../../test/support/victorialogs-harness.js'
import { VictoriaLogsReceiver } from './victorialogs.js'

/** Lets time pass until a condition holds, at most for an hour. */
async function passUntil(clock: VirtualClock, condition: () => boolean, what: string): Promise<void> {
  for (let step = 0; step < 3_600 && !condition(); step++) {
    await clock.advance(1_000)
    await tick()
  }
  if (!condition()) throw new Error(`An hour went by in vain: ${what}.`)
}

/** So far a tail stays behind the present. */
const TAIL_OFFSET_MS = 1_000

const names = (count: number, prefix = 'line') =>
  Array.from({ length: count }, (_, index) => `${prefix} ${index}`)

describe('an outage of the source', () => {
  it('is filled by query, in order of time, before the tail goes on', async () => {
    const { clock, h } = await standing()
    h.server.faults.shuffleFields = true
    const run = await h.run()
    await tailing(h)
    h.insert('before')
    await run.intake.waitFor(1)
    await h.server.down()
    for (const name of names(50)) {
      await clock.advance(10_000)
      h.insert(name)
    }
    await h.server.up()
    await passUntil(clock, () => h.server.openTails > 0, 'a tail')
    h.insert('after')
    await run.intake.waitFor(52)
    expect(run.bodies()).toEqual(['before', ...names(50), 'after'])
    const filled = run.context.logs.find(entry => entry.message === 'A gap was filled.')
    expect(filled?.attributes.log_records).toBe(50)
  })

  it('reaches back no further than max_age, and says what was not read', async () => {
    const { clock, h } = await standing()
    const run = await h.run({ backfill: { max_age: '5m' } })
    await tailing(h)
    await h.server.down()
    await clock.advance(60_000)
    h.insert('too old')
    await clock.advance(600_000)
    h.insert('young enough')
    await h.server.up()
    await passUntil(clock, () => h.server.openTails > 0, 'a tail')
    await run.intake.waitFor(1)
    expect(run.bodies()).toEqual(['young enough'])
    expect(run.context.logs.some(entry => entry.message.includes('longer than backfill.max_age'))).toBe(true)
  })

  it('is left alone with backfill: false', async () => {
    const { clock, h } = await standing()
    const run = await h.run({ backfill: false })
    await tailing(h)
    await h.server.down()
    await clock.advance(60_000)
    h.insert('missed')
    await clock.advance(60_000)
    await h.server.up()
    await passUntil(clock, () => h.server.openTails > 0, 'a tail')
    await clock.advance(120_000)
    h.insert('after')
    await run.intake.waitFor(1)
    expect(run.bodies()).toEqual(['after'])
    expect(h.server.asked('query')).toBe(0)
  })

  it('is left to a tail that looks back further where /query is refused', async () => {
    const { clock, h } = await standing()
    h.server.faults.fail = { api: 'query', status: 404, body: 'no such path in this proxy' }
    const run = await h.run()
    await tailing(h)
    await h.server.down()
    await clock.advance(60_000)
    h.insert('in between')
    await clock.advance(120_000)
    await h.server.up()
    await passUntil(clock, () => h.server.openTails > 0, 'a tail')
    await run.intake.waitFor(1)
    expect(run.bodies()).toEqual(['in between'])
    expect(run.context.statuses.at(-1)?.status).toBe('ok')
    expect(run.context.logs.filter(entry => entry.message.includes('cannot be read by query'))).toHaveLength(
      1,
    )
  })

  it('does not hold live lines back while /query fails again and again, and is read when that ends', async () => {
    const { clock, h } = await standing({ tail: 'by_time' })
    const run = await h.run()
    await tailing(h)
    h.insert('before')
    await clock.advance(TAIL_OFFSET_MS)
    await run.intake.waitFor(1)
    await h.server.down()
    const time = clock.now() + 60_000_000_000n
    await clock.advance(90_000)
    for (const msg of ['in between', 'skipped by the tail']) {
      h.server.insert({ msg, time, stream: { app: msg } })
      h.server.insert({ msg: `${msg}, again`, time, stream: { app: msg } })
    }
    await clock.advance(90_000)
    h.server.faults.fail = { api: 'query', status: 503, body: 'too slow' }
    await h.server.up()
    await passUntil(clock, () => h.server.openTails > 0, 'a tail')
    h.insert('live')
    await passUntil(clock, () => run.bodies().includes('live'), 'the live line')
    expect(run.context.statuses.at(-1)?.status).toBe('ok')
    h.server.faults.fail = undefined
    await passUntil(clock, () => run.bodies().length >= 6, 'all lines')
    expect([...run.bodies()].sort()).toEqual(
      [
        'before',
        'in between',
        'in between, again',
        'live',
        'skipped by the tail',
        'skipped by the tail, again',
      ].sort(),
    )
    expect(run.context.logs.filter(entry => entry.message.includes('cannot be read by query'))).toHaveLength(
      1,
    )
  })

  it('is filled by query however short it is, when reconcile is off', async () => {
    const { clock, h } = await standing({ tail: 'by_time' })
    const run = await h.run({ reconcile: false })
    await tailing(h)
    const time = clock.now()
    h.server.insert({ msg: 'sent', time })
    await clock.advance(TAIL_OFFSET_MS)
    await run.intake.waitFor(1)
    h.server.insert({ msg: 'skipped', time })
    await clock.advance(60_000)
    h.insert('later')
    await clock.advance(TAIL_OFFSET_MS)
    await run.intake.waitFor(2)
    h.server.cut('reset')
    await passUntil(clock, () => run.bodies().length >= 3, 'the line that the tail skipped')
    expect(run.bodies()).toEqual(['sent', 'later', 'skipped'])
  })

  it('is read from the start of the slice again when a query breaks off', async () => {
    const { clock, h } = await standing()
    const run = await h.run()
    await tailing(h)
    await h.server.down()
    await clock.advance(200_000)
    h.insert(...names(500))
    await clock.advance(60_000)
    h.server.faults.chunkBytes = [1, 500]
    h.server.faults.cutQuery = { afterBytes: [1_000, 30_000], how: ['destroy', 'reset'] }
    await h.server.up()
    const askedBefore = h.server.asked('query')
    await passUntil(clock, () => h.server.asked('query') >= askedBefore + 3, 'three queries')
    expect(run.intake.records()).toHaveLength(0)
    h.server.faults.cutQuery = undefined
    await passUntil(clock, () => run.intake.records().length >= 500, 'the lines')
    expect(run.bodies()).toEqual(names(500))
  })

  it('may hold more lines than fit into memory, also at one time', async () => {
    const { clock, h } = await standing()
    const run = await h.run()
    await tailing(h)
    await h.server.down()
    await clock.advance(100_000)
    for (const name of names(22_000, 'spread')) {
      h.server.insert({ msg: name, time: clock.now() })
      await Promise.resolve()
    }
    await clock.advance(1_000)
    const time = clock.now()
    for (let index = 0; index < 8_000; index++)
      h.server.insert({ msg: `later ${index}`, time: time + BigInt(index) * 1_000_000n })
    await clock.advance(60_000)
    await h.server.up()
    await passUntil(clock, () => run.intake.records().length >= 30_000, 'all lines')
    expect(new Set(run.bodies()).size).toBe(30_000)
    expect(run.intake.records()).toHaveLength(30_000)
  })
})

describe('a restart', () => {
  it('goes on from the checkpoint: what was settled is not offered again', async () => {
    const { clock, h } = await standing()
    const durable = memoryStore()
    const first = await h.run({}, { store: durable })
    await tailing(h)
    h.insert('a', 'b', 'b2')
    await first.intake.waitFor(3)
    await clock.advance(1_500)
    expect(first.intake.batches.every(batch => batch.released)).toBe(true)
    await first.stop()
    await clock.advance(3_000_000)
    h.insert('c')
    await clock.advance(1_000)
    const second = await h.run({}, { store: durable })
    await tailing(h)
    h.insert('d')
    await second.intake.waitFor(2)
    await tick()
    expect(second.bodies()).toEqual(['c', 'd'])
  })

  it('offers what was not settled again, under the same ids, equal lines too', async () => {
    const { clock, h } = await standing()
    const durable = memoryStore()
    const first = await h.run({}, { store: durable, manual: true })
    await tailing(h)
    const time = clock.now()
    for (const msg of ['x', 'same', 'same', 'y']) {
      h.server.insert({ msg, time })
      await first.intake.waitFor(first.intake.records().length + 1)
    }
    await clock.advance(1)
    h.insert('z')
    await first.intake.waitFor(5)
    const ids = first.intake.records().map(record => record.id)
    // The third settles too, but not before the second, so it is not in the checkpoint.
    first.intake.batches[0]?.settle()
    first.intake.batches[2]?.settle()
    await clock.advance(5_000)
    expect(first.intake.batches.map(batch => batch.released)).toEqual([true, false, false, false, false])
    await first.crash()
    const second = await h.run({}, { store: durable })
    await second.intake.waitFor(4)
    expect(
      second.intake
        .records()
        .map(record => record.id)
        .sort(),
    ).toEqual(ids.slice(1).sort())
    expect(second.bodies().sort()).toEqual(['same', 'same', 'y', 'z'])
  })

  it('reaches back to a line that is not settled and older than look_back', async () => {
    const { clock, h } = await standing()
    const durable = memoryStore()
    const first = await h.run({}, { store: durable, manual: true })
    await tailing(h)
    await clock.advance(1_200_000)
    h.server.insert({ msg: 'five minutes old', time: clock.now() - 300_000_000_000n })
    await first.intake.waitFor(1)
    first.intake.batches[0]?.settle()
    h.server.insert({ msg: 'four minutes old', time: clock.now() - 240_000_000_000n })
    await first.intake.waitFor(2)
    for (let minute = 0; minute < 5; minute++) {
      await clock.advance(60_000)
      await tick()
    }
    await first.crash()
    const second = await h.run({}, { store: durable })
    await second.intake.waitFor(1)
    await clock.advance(120_000)
    await tick()
    expect(second.bodies()).toEqual(['four minutes old'])
  })

  it('starts at now without a storage', async () => {
    const { clock, h } = await standing()
    h.insert('long ago')
    await clock.advance(60_000)
    const run = await h.run()
    await tailing(h)
    h.insert('now')
    await run.intake.waitFor(1)
    await clock.advance(120_000)
    await tick()
    expect(run.bodies()).toEqual(['now'])
  })

  it('does not take quiet hours for a gap', async () => {
    const { clock, h } = await standing()
    const durable = memoryStore()
    const first = await h.run({}, { store: durable })
    await tailing(h)
    for (let minute = 0; minute < 120; minute++) {
      await clock.advance(60_000)
      await tick()
    }
    await first.crash()
    const second = await h.run({}, { store: durable })
    await tailing(h)
    expect(second.context.logs.filter(entry => entry.level !== 'info')).toEqual([])
  })

  it('stops reading when the storage fails, and releases nothing', async () => {
    const { clock, h } = await standing()
    const durable = memoryStore()
    let broken = true
    const flaky: KeyValueStore = {
      ...durable,
      write: changes => (broken ? Promise.reject(new Error('disk full')) : durable.write(changes)),
    }
    const run = await h.run({}, { store: flaky })
    await tailing(h)
    h.insert(...names(12_000))
    await run.intake.waitFor(8_192)
    await clock.advance(10_000)
    await tick()
    expect(run.intake.records().length).toBeLessThan(8_192 + 1_024)
    expect(run.intake.batches.some(batch => batch.released)).toBe(false)
    expect(run.context.logs.filter(entry => entry.level === 'error')).toHaveLength(1)
    broken = false
    await passUntil(clock, () => run.intake.records().length === 12_000, 'all lines')
    await clock.advance(2_000)
    expect(run.intake.batches.every(batch => batch.released)).toBe(true)
  })
})

describe('a restart before the first record', () => {
  it('goes on from the first start', async () => {
    const { clock, h } = await standing()
    const durable = memoryStore()
    const first = await h.run({}, { store: durable })
    await tailing(h)
    await first.stop()
    await clock.advance(20_000)
    h.insert('in between')
    const second = await h.run({}, { store: durable })
    await second.intake.waitFor(1)
    expect(second.intake.records().map(record => record.body)).toEqual(['in between'])
  })
})

describe('a reload', () => {
  it('goes on where it was, also without a storage', async () => {
    const { clock, h } = await standing()
    const first = await h.run()
    await tailing(h)
    h.insert('before')
    await first.intake.waitFor(1)
    await first.stop()
    await clock.advance(20_000)
    h.insert('in between')
    const intake = collectingIntake()
    const receiver = new VictoriaLogsReceiver(first.context)
    await receiver.start(intake)
    await tailing(h)
    h.insert('after')
    await intake.waitFor(2)
    await receiver.stop()
    await receiver.close()
    expect(intake.records().map(record => record.body)).toEqual(['in between', 'after'])
  })
})

describe('reconciling', () => {
  it('leaves lines without a time to the tail, as it cannot recognise them', async () => {
    const { clock, h } = await standing()
    const run = await h.run({ reconcile: { interval: '2s', look_back: '10s' } })
    await tailing(h)
    h.server.injectRaw(Buffer.from('{"_msg":"no time"}\n'))
    await run.intake.waitFor(1)
    await passUntil(clock, () => h.server.asked('query') >= 10, 'ten readings')
    expect(run.bodies()).toEqual(['no time'])
  })

  it('goes on after a line from the future', async () => {
    const { clock, h } = await standing()
    const run = await h.run({ reconcile: { interval: '2s', look_back: '10s' } })
    await tailing(h)
    h.server.insert({ msg: 'clock an hour ahead', time: clock.now() + 3_600_000_000_000n })
    for (const name of names(20)) {
      await clock.advance(5_000)
      h.insert(name)
      await run.intake.waitFor(run.intake.records().length + 1)
    }
    h.server.faults.skipProbability = 1
    h.insert('skipped')
    await clock.advance(30_000)
    await passUntil(clock, () => run.bodies().includes('skipped'), 'the line that the tail skipped')
    expect(run.bodies()).toHaveLength(22)
  })

  it('finds what the tail skips: lines at the time of one sent already, and late ones', async () => {
    const { clock, h } = await standing({ tail: 'by_time' })
    const run = await h.run({ reconcile: { interval: '30s', look_back: '2m' } })
    await tailing(h)
    const time = clock.now()
    h.server.insert({ msg: 'first', time })
    await clock.advance(TAIL_OFFSET_MS)
    await run.intake.waitFor(1)
    h.server.insert({ msg: 'same time, later', time })
    await clock.advance(20_000)
    h.server.insert({ msg: 'late', time: time - 3_000_000_000n })
    await tick()
    expect(run.bodies()).toEqual(['first'])
    await passUntil(clock, () => run.intake.records().length >= 3, 'the skipped lines')
    expect(run.bodies()).toEqual(['first', 'late', 'same time, later'])
    await clock.advance(300_000)
    await tick()
    expect(run.intake.records()).toHaveLength(3)
  })

  it('fails without harm to the tail, and says so once', async () => {
    const { clock, h } = await standing()
    h.server.faults.fail = { api: 'query', status: 500, body: 'no' }
    const run = await h.run()
    await tailing(h)
    for (let round = 0; round < 5; round++) {
      await clock.advance(30_000)
      await tick()
    }
    h.insert('still here')
    await run.intake.waitFor(1)
    expect(run.context.logs.filter(entry => entry.level === 'warn')).toHaveLength(1)
    expect(run.context.statuses).toEqual([{ status: 'ok' }])
  })
})

describe('watermark', () => {
  it('follows the wall clock when caught up, holds in an outage, and follows the records of a gap', async () => {
    const { clock, h } = await standing()
    const run = await h.run({}, { store: memoryStore() })
    const { receiver } = run
    await tailing(h)
    await clock.advance(60_000)
    const caughtUp = receiver.watermark() ?? 0n
    expect(clock.now() - caughtUp).toBe(10_000_000_000n)
    await h.server.down()
    await until(() => run.context.statuses.at(-1)?.status === 'recoverable_error', 'down')
    await clock.advance(200_000)
    h.insert('in the gap')
    const during = clock.now()
    await clock.advance(200_000)
    expect(receiver.watermark()).toBe(caughtUp)
    run.intake.setBusy({ busy: true, retryAfterMs: 1_000, reason: 'queue_full' })
    await h.server.up()
    await passUntil(clock, () => h.server.openTails > 0, 'a tail')
    expect(receiver.watermark()).toBeLessThan(during)
    run.intake.setBusy(undefined)
    await passUntil(clock, () => run.intake.records().length === 1, 'the line')
    await passUntil(clock, () => (receiver.watermark() ?? 0n) > during, 'caught up')
  })
})

describe('everything at once', () => {
  it('loses nothing and repeats only what was not released, under the same id', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async seed => {
        const random = seededRandom(seed)
        const clock = scaledClock(300)
        const h = await Harness.start({
          clock,
          server: { seed, refreshMs: 3, tail: seed % 3 === 0 ? 'by_time' : 'arrival' },
        })
        const durable = memoryStore()
        Object.assign(h.server.faults, {
          chunkBytes: [1, 700],
          cutTail: { afterBytes: [2_000, 40_000], how: ['end', 'destroy', 'reset'] },
          cutQuery: { afterBytes: [20_000, 400_000], how: ['destroy', 'reset'] },
          skipProbability: 0.1,
          repeatOnConnect: 30,
          shuffleFields: true,
          inclusiveEnd: seed % 2 === 0,
        })
        const config = { reconcile: { interval: '5s', look_back: '2m' } }
        const total = 600
        const released = new Set<string>()
        const offered = new Map<string, string>()
        let repeats = 0
        try {
          let inserted = 0
          for (let life = 0; offered.size < total && life < 40; life++) {
            const run = await h.run(config, { store: durable, manual: true })
            const deadline = Date.now() + (inserted < total ? 40 + random() * 60 : 400)
            while (Date.now() < deadline && offered.size < total) {
              for (let burst = 0; burst < 8 && inserted < total; burst++) {
                // Few texts, and a time that stands still at times: equal lines come up.
                h.server.insert({
                  msg: `text ${inserted % 3}`,
                  time: (clock.now() / 200_000_000n) * 200_000_000n,
                })
                inserted++
              }
              for (const batch of run.intake.batches) if (random() < 0.3) batch.settle()
              if (random() < 0.02) {
                await h.server.down()
                await tick()
                await h.server.up()
              }
              await tick()
              for (const record of run.intake.records())
                offered.set(record.id, `${record.time} ${record.body}`)
            }
            const own = run.intake.records().map(record => record.id)
            expect(new Set(own).size).toBe(own.length)
            for (const id of own) if (released.has(id)) repeats++
            await run.crash()
            for (const batch of run.intake.batches) {
              if (batch.released) for (const record of batch.records) released.add(record.id)
            }
          }
          const stored = h.server.store.since(0).map(({ time, fields }) => `${time} ${fields._msg}`)
          expect([...offered.values()].sort()).toEqual(stored.sort())
          expect(repeats).toBe(0)
        } finally {
          await h.close()
        }
      }),
      { ...runs(4), endOnFailure: true },
    )
  })
})
