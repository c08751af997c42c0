import { describe, expect, it } from 'vitest'
import {
  type Harness,
  type HarnessOptions,
  harness,
  type Run,
  until,
} from '../../test/support/victorialogs-harness.js'

const standing = (server: HarnessOptions['server'] = {}): Promise<Harness> => harness({ server })

const sharing = (h: Harness, ...queries: readonly string[]): Promise<Run[]> =>
  Promise.all(queries.map(query => h.run({ query, share_tail: true })))
const tails = (h: Harness): string[] =>
  h.server.requests.filter(({ api }) => api === 'tail').map(({ parameters }) => String(parameters.query))
const has = (run: Run | undefined, ...bodies: readonly string[]) =>
  until(
    () => bodies.every(body => run?.bodies().includes(body)),
    `${bodies.join(', ')} among ${run?.bodies().join(', ')}`,
  )

/** Records so far; bodies are dear to read. */
const taken = (run: Run | undefined) =>
  run?.intake.batches.reduce((sum, { records }) => sum + records.length, 0) ?? 0

describe('receivers that share a tail', () => {
  it('have one connection, and each the lines of its query, once', async () => {
    const h = await standing()
    const queries = ['error', '"no space"', 'level:warn !debug', '(error or disk) -quiet']
    const [error, space, warn, disk] = await sharing(h, ...queries)
    await until(() => h.server.openTails === 1, 'a tail')
    const now = h.server.now()
    const line = (msg: string, at: number, level = 'info'): void =>
      h.server.insert({ msg, time: now + BigInt(at), fields: { level } })
    line('an error', 0)
    line('errors, and no space_left', 1)
    line('no space: error', 2)
    line('a debug line', 3, 'warn')
    line('disk', 4, 'warn')
    line('quiet error', 5)
    await has(warn, 'disk')
    await has(error, 'quiet error')
    await has(space, 'no space: error')
    await has(disk, 'disk')
    expect(error?.bodies()).toEqual(['an error', 'no space: error', 'quiet error'])
    expect(space?.bodies()).toEqual(['no space: error'])
    expect(warn?.bodies()).toEqual(['disk'])
    expect(disk?.bodies()).toEqual(['an error', 'no space: error', 'disk'])
    expect(h.server.openTails).toBe(1)
    expect(tails(h)).toEqual([
      '("error") or ("no space") or ("level":"warn" !("debug")) or (("error" or "disk") !("quiet"))',
    ])
  })

  it('have a tail for each stream filter, and one of their own for what is not proved here', async () => {
    const h = await standing()
    const [first, second, third, own] = await sharing(
      h,
      '{app="a"} error',
      '{app="a"} warn',
      '{app="b"} error',
      'err*',
    )
    await until(() => h.server.openTails === 3, 'three tails')
    for (const app of ['a', 'b', 'c'])
      h.server.insert({ msg: `error of ${app}`, time: h.server.now(), stream: { app } })
    await has(own, 'error of a', 'error of b', 'error of c')
    await has(first, 'error of a')
    await has(third, 'error of b')
    expect([first, second, third].map(run => run?.bodies())).toEqual([['error of a'], [], ['error of b']])
    const said = own?.context.logs.find(({ attributes }) => attributes.reason === 'other_filter')
    expect(said?.message).toBe('It has a tail of its own: its query has more than words and phrases.')
  })

  it('go on when one more comes and one goes, without a loss or a repeat', async () => {
    const h = await standing()
    const [error, warn] = await sharing(h, 'error', 'warn')
    await until(() => h.server.openTails === 1, 'a tail')
    h.insert('error 1', 'warn 1', 'fatal before its time')
    await has(error, 'error 1')
    const before = h.server.now()
    await until(() => h.server.now() - before > 20_000_000_000n, 'some seconds')
    const [fatal] = await sharing(h, 'fatal')
    await until(() => tails(h).at(-1)?.includes('fatal') === true && h.server.openTails === 1, 'the new tail')
    h.insert('error 2', 'fatal 2', 'warn 2')
    await has(error, 'error 2')
    await has(fatal, 'fatal 2')
    await warn?.stop()
    h.insert('warn 3', 'error 3')
    await has(error, 'error 3')
    expect(error?.bodies()).toEqual(['error 1', 'error 2', 'error 3'])
    expect(warn?.bodies().slice(0, 2)).toEqual(['warn 1', 'warn 2'])
    expect(fatal?.bodies()).toEqual(['fatal 2'])
    expect(h.server.openTails).toBe(1)
  })

  it('are told nothing twice by a tail that is opened anew and looks back', async () => {
    const h = await standing()
    const [error] = await sharing(h, 'error', 'warn')
    await until(() => h.server.openTails === 1, 'a tail')
    const twice = { msg: 'error, twice', time: h.server.now() }
    h.server.insert(twice, twice)
    h.insert('error 1')
    await has(error, 'error 1')
    for (const query of ['fatal', 'panic']) {
      await sharing(h, query)
      await until(() => tails(h).at(-1)?.includes(query) === true && h.server.openTails === 1, 'the new tail')
      h.insert(`error and ${query}`)
      await has(error, `error and ${query}`)
    }
    expect([...(error?.bodies() ?? [])].sort()).toEqual(
      ['error 1', 'error and fatal', 'error and panic', 'error, twice', 'error, twice'].sort(),
    )
  })

  it('go on undisturbed when the one that opened the tail is closed', async () => {
    const h = await standing()
    const [error, warn] = await sharing(h, 'error', 'warn')
    await until(() => h.server.openTails === 1, 'a tail')
    h.insert('error 1', 'warn 1')
    await has(warn, 'warn 1')
    await error?.stop()
    const before = h.server.now()
    await until(() => h.server.now() - before > 5_000_000_000n, 'some seconds')
    h.insert('warn 2')
    await has(warn, 'warn 2')
    expect(tails(h)).toEqual(['("error") or ("warn")'])
    expect(warn?.context.logs.filter(({ message }) => /tail is down/.test(message))).toEqual([])
    await warn?.stop()
    await until(() => h.server.openTails === 0, 'no tail is left')
  })

  it('leave nothing behind when they stop before the server answers', async () => {
    const h = await standing()
    h.server.faults.headersDelayMs = 3_600_000
    const runs = await sharing(h, 'error', 'warn')
    await until(() => tails(h).length === 1, 'the request')
    await Promise.all(runs.map(run => run.stop()))
    await until(() => h.server.openConnections === 0, 'no connection is left')
  })

  it('join again in a few steps when they come one after another', async () => {
    const h = await standing()
    const words = Array.from({ length: 16 }, (_, n) => `word${'abcdefghijklmnop'[n]}`)
    for (const query of words) {
      await h.run({ query, share_tail: true })
      const before = h.server.now()
      await until(() => h.server.now() - before > 500_000_000n, 'half a second')
    }
    await until(() => tails(h).at(-1)?.includes('wordp') === true && h.server.openTails === 1, 'all in one')
    expect(tails(h).length).toBeLessThan(12)
  })

  it('fill their gaps after an outage and share one tail again', async () => {
    const h = await standing()
    const runs = await sharing(h, 'error', 'warn')
    await until(() => h.server.openTails === 1, 'a tail')
    h.insert('error 1')
    await has(runs[0], 'error 1')
    await h.server.down()
    h.insert('error 2', 'warn 2')
    await h.server.up()
    await until(() => h.server.openTails > 0, 'a tail again')
    h.insert('error 3', 'warn 3')
    await has(runs[0], 'error 2', 'error 3')
    await has(runs[1], 'warn 2', 'warn 3')
    expect(runs.map(run => run.bodies().length)).toEqual([3, 2])
    await until(() => h.server.openTails === 1, 'one tail for both')
  })

  it('leave to the server what cannot be said here', async () => {
    const h = await standing()
    const [error, warn] = await sharing(h, 'error', 'warn')
    await until(() => h.server.openTails === 1, 'a tail')
    // A letter of Unicode 16, which a server may know or not. Whose line it is, its answers to each query say.
    const line = `{"_time":"2026-01-15T10:00:01Z","_stream_id":"a","_stream":"{}","_msg":"error\u1c89 now"}\n`
    h.server.injectRaw(Buffer.from(line))
    h.insert('error then')
    await has(error, 'error then')
    expect(error?.bodies()).toEqual(['error then'])
    expect(warn?.bodies()).toEqual([])
    h.server.faults.skipProbability = 1
    h.insert('error that the tail skips')
    await has(error, 'error that the tail skips')
    expect(h.server.openTails).toBe(1)
    expect(tails(h)).toHaveLength(1)
  })
})

describe('where sharing goes wrong', () => {
  it('each has a tail of its own once the server sends what no query has', async () => {
    const h = await standing()
    const [error, warn] = await sharing(h, 'error', 'warn')
    await until(() => h.server.openTails === 1, 'a tail')
    h.insert('error 1')
    h.server.injectRaw(Buffer.from('{"_time":"2026-01-15T10:00:01Z","_msg":"nothing of both"}\n'))
    await until(() => h.server.openTails === 2, 'two tails')
    h.insert('error 2', 'warn 2')
    await has(error, 'error 1', 'error 2')
    await has(warn, 'warn 2')
    expect(tails(h).slice(-2).sort()).toEqual(['error', 'warn'])
    const said = [error, warn]
      .flatMap(run => run?.context.logs ?? [])
      .filter(({ message }) => /share no tail/.test(message))
    expect(said).toHaveLength(1)
    expect(JSON.stringify(said)).not.toContain('nothing of both')
  })

  it('each has a tail of its own when the queries are refused together', async () => {
    const h = await standing()
    h.server.faults.fail = { api: 'tail', status: 414, body: 'too long', times: 1 }
    const [error, warn] = await sharing(h, 'error', 'warn')
    await until(() => h.server.openTails === 2, 'two tails')
    h.insert('error 1', 'warn 1')
    await has(error, 'error 1')
    await has(warn, 'warn 1')
  })

  it('only the slow one waits, and has everything in the end', async () => {
    const h = await standing()
    const [quick] = await sharing(h, 'error')
    const slow = await h.run({ query: 'error or warn', share_tail: true }, { manual: true })
    await until(() => h.server.openTails === 1 && tails(h).at(-1)?.includes(' or ') === true, 'a tail')
    const behind = () =>
      slow.context.logs.some(({ attributes }) => /too slowly/.test(String(attributes.reason)))
    const pad = 'x'.repeat(400)
    let count = 0
    while (!behind()) {
      h.insert(...Array.from({ length: 1_000 }, () => `error ${count++} ${pad}`))
      await until(() => taken(quick) === count, 'all of the quick one', 60_000)
    }
    expect(taken(slow)).toBeLessThan(count)
    let settled = 0
    await until(
      () => {
        for (const batch of slow.intake.batches.slice(settled)) batch.settle()
        settled = slow.intake.batches.length
        return taken(slow) >= count
      },
      'all of the slow one',
      60_000,
    )
    expect([taken(slow), taken(quick)]).toEqual([count, count])
  }, 120_000)
})
