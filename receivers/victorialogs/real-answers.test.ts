import type { VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { memoryStore, standing, tailing, tick, until } from '../../test/support/victorialogs-harness.js'
import { ABORTED } from '../../test/support/victorialogs-server.js'

// What a real VictoriaLogs does beyond its manual. The stand-in answers as versions 1.26 to 1.54 do.

async function pass(clock: VirtualClock, seconds: number, until = () => false): Promise<void> {
  for (let second = 0; second < seconds && !until(); second++) {
    await clock.advance(1_000)
    await tick()
  }
}

describe('a tail that is refused', () => {
  it('has no gap read for it, whose answers may be no log lines; once it is not, the gap is', async () => {
    const { clock, h } = await standing()
    const durable = memoryStore()
    const first = await h.run({}, { store: durable })
    await tailing(h)
    await first.stop()
    h.insert('in the gap')
    await clock.advance(1_000)
    const run = await h.run({ query: '* | count()' }, { store: durable })
    await pass(clock, 600)
    expect(run.intake.records()).toEqual([])
    expect(h.server.asked('query')).toBe(0)
    expect(run.context.statuses.at(-1)?.status).toBe('permanent_error')
    await run.stop()

    h.server.faults.fail = { api: 'tail', status: 400, body: 'not now' }
    const again = await h.run({}, { store: durable })
    await pass(clock, 200)
    expect(h.server.asked('query')).toBe(0)
    h.server.faults.fail = undefined
    await pass(clock, 120, () => again.bodies().length > 0)
    expect(again.bodies()).toEqual(['in the gap'])
  })

  it('also after it was open: a proxy that stops letting it through', async () => {
    const { clock, h } = await standing()
    const run = await h.run()
    await tailing(h)
    h.server.faults.fail = { api: 'tail', status: 403, body: 'no longer' }
    h.server.cut('reset')
    await until(
      () => run.context.statuses.at(-1)?.status === 'permanent_error' || clock.pending > 0,
      'the cut',
    )
    await pass(clock, 5)
    const asked = h.server.asked('query')
    await pass(clock, 300)
    expect(run.context.statuses.at(-1)?.status).toBe('permanent_error')
    expect(h.server.asked('query')).toBe(asked)
  })
})

describe('an answer that breaks off', () => {
  it('is shown in the words of the server, and not asked for each second', async () => {
    const { clock, h } = await standing()
    const run = await h.run({ query: '* | delete _time', headers: { Token: 'hunter2' } })
    await tailing(h)
    h.insert('a line')
    await pass(clock, 1, () => run.context.logs.length > 1)
    const reason =
      'VictoriaLogs broke its answer off: the connection has been aborted; see the last line in the'
    await until(
      () => run.context.logs.some(entry => String(entry.attributes.reason).startsWith(reason)),
      'the words',
    )
    for (let minute = 0; minute < 10; minute++) {
      h.insert(`line ${minute}`)
      await pass(clock, 60)
    }
    expect(h.server.asked('tail')).toBeLessThan(25)
    expect(run.intake.records()).toEqual([])
    h.server.faults.breakTail = `${ABORTED.trim()} of hunter2\u0007`
    h.insert('last')
    await pass(clock, 200, () => JSON.stringify(run.context.logs.at(-1)).includes('REDACTED'))
    expect(JSON.stringify(run.context.logs)).not.toContain('hunter2')
    expect(JSON.stringify(run.context.logs.at(-1))).toContain('for the reason of [REDACTED]"')
  })
})

describe('a cluster', () => {
  it('has what one of its nodes holds read when that is back, not taken for nothing', async () => {
    const { clock, h } = await standing()
    const run = await h.run()
    await tailing(h)
    await h.server.down()
    await clock.advance(60_000)
    h.insert('on the node that is down')
    await clock.advance(60_000)
    h.server.faults.storageDown = true
    await h.server.up()
    await pass(clock, 30)
    expect(run.context.statuses.at(-1)?.message).toContain('answered 502: cannot execute query')
    expect(run.intake.records()).toEqual([])
    h.server.faults.storageDown = false
    await pass(clock, 200, () => run.bodies().length > 0)
    expect(run.bodies()).toEqual(['on the node that is down'])
  })

  it('is not given up when it says so with 400, as before version 1.30', async () => {
    const { clock, h } = await standing()
    const run = await h.run()
    await tailing(h)
    await h.server.down()
    await clock.advance(120_000)
    const body =
      'cannot execute query [*]: unexpected status code for the request to "http://10.0.0.7:9491/internal/select/query": 500'
    h.server.faults.fail = { status: 400, body }
    await h.server.up()
    await pass(clock, 20)
    expect(run.context.statuses.at(-1)?.status).toBe('recoverable_error')
  })
})

describe('-search.maxQueryTimeRange', () => {
  it('makes the slices of a gap as small as it allows', async () => {
    const { clock, h } = await standing()
    const run = await h.run()
    await tailing(h)
    await h.server.down()
    const messages = Array.from({ length: 20 }, (_, minute) => `minute ${minute}`)
    for (const message of messages) {
      await clock.advance(60_000)
      h.insert(message)
    }
    await clock.advance(60_000)
    h.server.faults.maxRangeMs = 45_000
    await h.server.up()
    await pass(clock, 120, () => run.bodies().length === messages.length)
    expect(run.bodies()).toEqual(messages)
    const refused = h.server.requests.filter(
      ({ api, parameters: { start, end } }) =>
        api === 'query' && Date.parse(end as string) - Date.parse(start as string) > 45_000,
    )
    expect(refused.length).toBeLessThan(8)
  })
})

describe('a query whose lines differ at each reading', () => {
  it('brings each line once all the same: no reading overlaps another', async () => {
    const { clock, h } = await standing({ tail: 'by_time' })
    const durable = memoryStore()
    const config = { query: '* | math now() as n' }
    const told: string[] = []
    let number = 0
    const insert = async (): Promise<void> => {
      h.insert(`line ${number++}`)
      await pass(clock, 7)
    }
    for (let life = 0; life < 3; life++) {
      const run = await h.run(config, { store: durable })
      await tailing(h)
      for (let round = 0; round < 3; round++) {
        for (let count = 0; count < 5; count++) await insert()
        h.server.cut('reset')
        await insert()
        await pass(clock, 10, () => h.server.openTails > 0)
      }
      await pass(clock, 60)
      told.push(...run.bodies())
      await run.stop()
      for (let count = 0; count < 5; count++) await insert()
    }
    expect(told.sort()).toEqual(Array.from({ length: number - 5 }, (_, index) => `line ${index}`).sort())
  })
})

describe("a user's own _stream_id", () => {
  it('makes no line come twice, wherever it stands', async () => {
    const { clock, h } = await standing()
    const run = await h.run({ reconcile: { interval: '2s', look_back: '30s' } })
    await tailing(h)
    const line = (ids: string) =>
      Buffer.from(`{"_time":"2026-01-15T10:00:00Z",${ids},"_msg":"x","_stream":"{}"}\n`)
    h.server.injectRaw(line('"_stream_id":"mine","_stream_id":"0123"'))
    await run.intake.waitFor(1)
    h.server.cut('reset')
    await until(() => h.server.openTails === 0, 'the cut')
    await pass(clock, 5, () => h.server.openTails > 0)
    h.server.injectRaw(line('"_stream_id":"0123","_stream_id":"mine"'))
    h.insert('after')
    await run.intake.waitFor(2)
    expect(run.bodies()).toEqual(['x', 'after'])
  })
})
