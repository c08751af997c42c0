import { testContext, VirtualClock } from 'tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { Harness, until } from '../../test/support/victorialogs-harness.js'
import { SourceClock } from './source-clock.js'

const SECOND = 1_000_000_000n
const MINUTE_MS = 60_000

let h: Harness
afterEach(() => h?.close())

describe.each([
  ['20 minutes behind', -20 * MINUTE_MS],
  ['20 minutes ahead', 20 * MINUTE_MS],
])('a server whose clock is %s', (_name, serverAheadMs) => {
  it('has its gap filled after a restart, and what its tail skipped found', async () => {
    const clock = new VirtualClock()
    h = await Harness.start({ clock, serverAheadMs, server: { tail: 'by_time' } })
    const store = testContext({ config: {} }).storage()
    const first = await h.run({}, { store })
    await until(() => h.server.openTails > 0, 'a tail')
    h.insert('before')
    await clock.advance(1_000)
    await first.intake.waitFor(1)
    await clock.advance(2_000)
    await first.stop()

    for (const name of ['missed 1', 'missed 2', 'missed 3']) {
      await clock.advance(MINUTE_MS)
      h.insert(name)
    }
    await clock.advance(MINUTE_MS)
    const second = await h.run({}, { store })
    await second.intake.waitFor(3)
    await until(() => h.server.openTails > 0, 'a tail again')
    await clock.advance(MINUTE_MS)
    h.server.insert({ msg: 'late', time: h.server.now() - 30n * SECOND })
    while (second.bodies().length < 4) {
      await clock.advance(2_000)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    expect(second.bodies()).toEqual(['missed 1', 'missed 2', 'missed 3', 'late'])
    expect(second.receiver.watermark()).toBeLessThanOrEqual(h.server.now())
  })
})

describe('what an answer says of the clock', () => {
  const at = (time: bigint): string => new Date(Number(time / 1_000_000n)).toUTCString()

  it('is the least difference that explains its Date, from 5 s on', async () => {
    const { logger, logs } = testContext({ config: {} })
    const clock = new VirtualClock()
    const source = new SourceClock(clock, logger)
    const asked = clock.now()
    source.learn(at(asked - 4n * SECOND), asked)
    expect(source.now()).toBe(clock.now())
    source.learn(at(asked - 100n * SECOND), asked)
    expect(source.now()).toBe(asked - 99n * SECOND)
    expect([source.earliest(), source.latest()]).toEqual([source.now(), clock.now()])
    source.learn(at(asked + 100n * SECOND), asked)
    expect([source.earliest(), source.latest()]).toEqual([clock.now(), asked + 100n * SECOND])
    expect(logs.map(entry => entry.attributes)).toEqual([{ victorialogs_ahead_s: -99 }])
  })

  it('is nothing when it is missing, no date, or took too long', async () => {
    const { logger } = testContext({ config: {} })
    const clock = new VirtualClock()
    const source = new SourceClock(clock, logger)
    const asked = clock.now()
    for (const date of [undefined, 'yesterday', ['a', 'b']]) source.learn(date, asked)
    await clock.advance(11_000)
    source.learn(at(asked - 100n * SECOND), asked)
    expect(source.now()).toBe(clock.now())
  })
})
