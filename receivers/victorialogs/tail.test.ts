import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { settleMicrotasks, VirtualClock } from 'tocsin/testing'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import { Harness, harness, standing, tailing, until } from '../../test/support/victorialogs-harness.js'

describe('a line as a record', () => {
  it('has _msg as body, _time as timestamp and every other field as an attribute', async () => {
    const h = await harness()
    const run = await h.run()
    await tailing(h)
    const time = h.clock.now() + 123n
    h.server.insert({
      msg: `it's <b>ünï 🚀</b>`,
      time,
      stream: { app: 'a1', host: 'h1' },
      fields: { n: '42', 'log.level': 'info', __proto__x: 'y', arr: '[1,{"x":2}]' },
    })
    const [record] = await run.intake.waitFor(1)
    expect(record?.body).toBe(`it's <b>ünï 🚀</b>`)
    expect(Buffer.from(record?.bodyBytes() ?? []).toString()).toBe(`it's <b>ünï 🚀</b>`)
    expect(record?.timestamp).toBe(time)
    expect(record?.observedTimestamp).toBeGreaterThan(0n)
    expect({ ...record?.attributes }).toEqual({
      _stream: '{app="a1",host="h1"}',
      _stream_id: expect.stringMatching(/^[0-9a-f]{48}$/),
      app: 'a1',
      host: 'h1',
      n: '42',
      'log.level': 'info',
      __proto__x: 'y',
      arr: '[1,{"x":2}]',
    })
    expect(record?.get('attributes["log.level"]')).toBe('info')
  })

  it('asks for what the facts say: identity encoding, NDJSON, the query as it is', async () => {
    const h = await harness({ server: { pathPrefix: '/vl/select-node' } })
    await h.run({ endpoint: `${h.server.url}///`, query: '_msg:"ünï & co" host:h1' })
    await tailing(h)
    const [request] = h.server.requests
    expect(request?.parameters).toEqual({
      query: '_msg:"ünï & co" host:h1',
      offset: '1000ms',
      allow_partial_response: '0',
    })
    expect(request?.headers['accept-encoding']).toBe('identity')
    expect(request?.headers.accept).toBe('application/x-ndjson')
  })

  it('stays 1 s behind the present, though a server may stay 5 s behind by itself', async () => {
    const { clock, h } = await standing({ tail: 'by_time' })
    const run = await h.run({ reconcile: false })
    await tailing(h)
    h.insert('now')
    await clock.advance(1_000)
    await run.intake.waitFor(1)
    expect(run.bodies()).toEqual(['now'])
  })
})

describe('a line without a message', () => {
  it('has an empty body, as the sentence that VictoriaLogs stores for it is none of its own', async () => {
    const h = await harness()
    const run = await h.run()
    await tailing(h)
    h.server.insert({ msg: '', time: h.clock.now(), fields: { app: 'a' } })
    h.server.insert({ msg: 'missing _msg field; see the manual', time: h.clock.now() + 1n })
    const records = await run.intake.waitFor(2)
    expect(records.map(({ body }) => body).sort()).toEqual(['', 'missing _msg field; see the manual'])
    expect(records.map(record => record.bodyBytes().length).sort()).toEqual([0, 34])
  })
})

describe('bad lines', () => {
  it('are dropped alone and counted by reason', async () => {
    const h = await harness({ server: { refreshMs: 5 } })
    const run = await h.run()
    await tailing(h)
    h.insert('before')
    await run.intake.waitFor(1)
    h.server.injectRaw(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d, 0x0a]))
    h.server.injectRaw(Buffer.from('no json\n[1]\n"text"\n\n{"_msg":"cut\n'))
    h.server.injectRaw(Buffer.from(`{"_msg":"${'x'.repeat(1_048_576)}"}\n`))
    h.insert('after')
    expect((await run.intake.waitFor(2)).map(record => record.body)).toEqual(['before', 'after'])
    await until(() => run.intake.discards.has('oversized'), 'the long line')
    expect(Object.fromEntries(run.intake.discards)).toEqual({
      invalid_json: 5,
      oversized: 1,
    })
  })

  it('are said once a minute, with their number', async () => {
    const clock = new VirtualClock()
    const h = await harness({ clock })
    const run = await h.run({ backfill: false })
    await tailing(h)
    const long = (mark: string) => Buffer.from(`{"_msg":"${mark}${'x'.repeat(1_048_576)}"}\n`)
    const latin1 = Buffer.from('{"_time":"2026-01-15T10:00:00Z","_msg":"caf\xe9"}\n', 'latin1')
    for (const mark of ['a', 'b', 'c']) h.server.injectRaw(long(mark))
    h.server.injectRaw(Buffer.concat([latin1, Buffer.from(String(latin1).replace('00Z', '01Z'))]))
    const bodies = (await run.intake.waitFor(2)).map(record => record.body)
    await clock.advance(60_000)
    const said = run.context.logs.filter(({ level }) => level === 'warn')
    expect(bodies).toEqual(['caf\ufffd', 'caf\ufffd'])
    expect(said.map(({ message, attributes }) => [message, attributes.times])).toEqual([
      ['A line longer than 1048576 bytes was left out.', undefined],
      ['A line had bytes that are not UTF-8; each became U+FFFD.', undefined],
      ['A line longer than 1048576 bytes was left out.', 2],
    ])
  })

  it('are not those that are long only on the wire', async () => {
    const h = await harness()
    const run = await h.run()
    await tailing(h)
    const html = "<a href='x'>".repeat(20_000)
    h.insert(html)
    const [record] = await run.intake.waitFor(1)
    expect(record?.body).toBe(html)
    expect(run.intake.discards.size).toBe(0)
  })

  it('takes a line of exactly 1 MiB', async () => {
    const h = await harness()
    const run = await h.run()
    await tailing(h)
    const frame = '{"_time":"2026-01-15T10:00:00Z","_msg":""}'
    h.server.injectRaw(Buffer.from(`${frame.slice(0, -2)}${'x'.repeat(1_048_576 - frame.length)}"}\n`))
    const [record] = await run.intake.waitFor(1)
    expect(record?.bodyBytes().length).toBe(1_048_576 - frame.length)
  })
})

describe('errors', () => {
  it('logs the first 512 characters of the body, without secrets, and tries again seldom', async () => {
    const clock = new VirtualClock()
    const h = await harness({ clock })
    h.server.faults.fail = { status: 400, body: `bad query hunter2-token ${'é'.repeat(2_000)}` }
    const run = await h.run({ headers: { Authorization: 'Bearer hunter2-token', AccountID: '12' } })
    await until(() => run.context.logs.length > 0, 'a log')
    const reason = String(run.context.logs[0]?.attributes.reason)
    expect(reason).toMatch(/answered 400: bad query \[REDACTED\] é+$/)
    expect(reason.split('answered 400: ')[1]).toHaveLength(512)
    expect(JSON.stringify(run.context.logs)).not.toContain('hunter2')
    expect(run.context.statuses.at(-1)?.status).toBe('permanent_error')
    expect(run.context.logs[0]?.attributes.retry_in_ms).toBeGreaterThanOrEqual(54_000)
    // Someone mends it: nothing needs a restart.
    h.server.faults.fail = undefined
    await clock.advance(70_000)
    await tailing(h)
    await until(() => run.context.statuses.at(-1)?.status === 'ok', 'ok')
  })

  it('backs off from 1 s to 60 s with 10 % jitter, and begins anew after a successful stream', async () => {
    const clock = new VirtualClock()
    const h = await harness({ clock })
    h.server.faults.fail = { status: 503, body: 'overloaded' }
    const run = await h.run({ backfill: false }, { random: () => 1 - Number.EPSILON })
    const waits: number[] = []
    for (let tries = 1; tries <= 8; tries++) {
      await until(() => run.context.logs.length === tries, `try ${tries}`)
      waits.push(Number(run.context.logs.at(-1)?.attributes.retry_in_ms))
      await clock.advance((waits.at(-1) as number) - 20)
      await settleMicrotasks()
      expect(h.server.asked('tail')).toBe(tries)
      await clock.advance(20)
    }
    expect(waits).toEqual([1_100, 2_200, 4_400, 8_800, 17_600, 35_200, 66_000, 66_000])
    expect(run.context.statuses).toEqual([
      { status: 'recoverable_error', message: expect.stringContaining('503: overloaded') },
    ])
    await until(() => run.context.logs.length === 9, 'try 9')
    h.server.faults.fail = undefined
    await clock.advance(66_001)
    await tailing(h)
    h.server.cut('reset')
    await until(() => run.context.logs.at(-1)?.level === 'warn', 'the cut')
    expect(run.context.logs.at(-1)?.attributes.retry_in_ms).toBe(1_100)
  })

  it('keeps trying while connections are refused, and says that the source is down', async () => {
    const h = await harness()
    await h.server.down()
    const run = await h.run()
    await until(() => run.context.statuses.at(-1)?.status === 'recoverable_error', 'an error')
    expect(run.context.statuses.at(-1)?.message).toContain('ECONNREFUSED')
    await h.server.up()
    await tailing(h)
    await until(() => run.context.statuses.at(-1)?.status === 'ok', 'ok')
  })

  it('says so when a proxy compresses all the same', async () => {
    const h = await harness()
    h.server.faults.forceGzip = true
    const run = await h.run()
    await until(() => h.server.openTails > 0, 'asked')
    h.insert('a line, so that the headers arrive')
    await until(() => run.context.logs.length > 0, 'a log')
    expect(run.context.logs[0]?.attributes.reason).toContain('content-encoding gzip')
  })

  it('waits for slow headers', async () => {
    const h = await harness()
    h.server.faults.headersDelayMs = 150
    const run = await h.run()
    await tailing(h)
    h.insert('late')
    await run.intake.waitFor(1)
    expect(run.context.logs.filter(entry => entry.level !== 'info')).toEqual([])
  })
})

describe('authentication', () => {
  it('sends basic auth', async () => {
    const expected = `Basic ${Buffer.from('ann:pässword').toString('base64')}`
    const h = await harness({ server: { authorized: headers => headers.authorization === expected } })
    await h.run({ basic_auth: { username: 'ann', password: 'pässword' } })
    await tailing(h)
  })

  it('lets a custom Authorization header win', async () => {
    const h = await harness({ server: { authorized: headers => headers.authorization === 'Bearer t' } })
    await h.run({
      basic_auth: { username: 'ann', password: 'secret' },
      headers: { authorization: 'Bearer t', AccountID: '7' },
    })
    await tailing(h)
    expect(h.server.requests[0]?.headers.accountid).toBe('7')
  })
})

describe('TLS', () => {
  const fixtures = fileURLToPath(new URL('../../core/toolkit/http/fixtures', import.meta.url))
  const pem = (name: string) => readFileSync(`${fixtures}/${name}`, 'utf8')

  it('trusts the given authority, and no server without it', async () => {
    const h = await harness({ server: { tls: { key: pem('server.key'), cert: pem('server.pem') } } })
    const distrusting = await h.run()
    await until(() => distrusting.context.statuses.length > 0, 'a status')
    expect(distrusting.context.statuses[0]).toMatchObject({
      status: 'recoverable_error',
      message: expect.stringMatching(/certificate|self.signed/i),
    })
    await distrusting.stop()
    await h.run({ tls: { ca_file: `${fixtures}/ca.pem`, server_name_override: 'tocsin.test' } })
    await tailing(h)
  })
})

describe('back-pressure', () => {
  it('stops reading while the pipelines are busy, keeps what it read, and goes on', async () => {
    const h = await harness()
    const run = await h.run()
    await tailing(h)
    run.intake.setBusy({ busy: true, retryAfterMs: 1_000, reason: 'queue_full' })
    const messages = Array.from({ length: 2_000 }, (_, index) => `line ${index} ${'x'.repeat(5_000)}`)
    h.insert(...messages)
    await new Promise(resolve => setTimeout(resolve, 100))
    expect(run.intake.records()).toHaveLength(0)
    run.intake.setBusy(undefined)
    await run.intake.waitFor(messages.length)
    expect(run.bodies()).toEqual(messages)
  })

  it('bounds what is not settled', async () => {
    const h = await harness()
    const run = await h.run({ backfill: false }, { manual: true })
    await tailing(h)
    const messages = Array.from({ length: 25_000 }, (_, index) => `line ${index} ${'x'.repeat(100)}`)
    h.insert(...messages)
    await run.intake.waitFor(8_192)
    await new Promise(resolve => setTimeout(resolve, 100))
    const taken = run.intake.records().length
    expect(taken).toBeLessThan(8_192 + 1_024)
    const settling = setInterval(() => {
      for (const batch of run.intake.batches) batch.settle()
    }, 2)
    await run.intake.waitFor(messages.length)
    clearInterval(settling)
    expect(run.bodies()).toEqual(messages)
  })
})

describe('chunks and cuts', () => {
  it('offers each line once and in order, however the stream is cut up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer(),
        async (messages, most, seed) => {
          const h = await Harness.start({ server: { seed, refreshMs: 2 } })
          try {
            h.server.faults.chunkBytes = [1, most]
            const run = await h.run({ backfill: false })
            await tailing(h)
            h.insert(...messages)
            await run.intake.waitFor(messages.length)
            expect(run.bodies()).toEqual(messages)
          } finally {
            await h.close()
          }
        },
      ),
      runs(15),
    )
  })

  it('reads on after cuts anywhere, without loss and without repeats', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async seed => {
        const h = await Harness.start({ server: { seed, refreshMs: 2 } })
        try {
          const run = await h.run()
          await tailing(h)
          h.server.faults.chunkBytes = [1, 300]
          h.server.faults.cutTail = { afterBytes: [100, 8_000], how: ['end', 'destroy', 'reset'] }
          h.server.faults.shuffleFields = true
          const messages = Array.from(
            { length: 300 },
            (_, index) => `zeile ${index % 20} für ${'ü'.repeat(index % 9)}`,
          )
          for (const [index, message] of messages.entries()) {
            h.insert(message)
            if (index % 10 === 0) await new Promise(resolve => setTimeout(resolve, 2))
          }
          await run.intake.waitFor(messages.length)
          await new Promise(resolve => setTimeout(resolve, 20))
          expect([...run.bodies()].sort()).toEqual([...messages].sort())
          expect(new Set(run.intake.records().map(record => record.id)).size).toBe(messages.length)
        } finally {
          await h.close()
        }
      }),
      runs(6),
    )
  })

  it('takes equal lines at one time as so many records, and knows them again', async () => {
    const h = await harness()
    const run = await h.run()
    await tailing(h)
    const time = h.clock.now()
    h.server.insert({ msg: 'same', time }, { msg: 'same', time }, { msg: 'same', time })
    const ids = (await run.intake.waitFor(3)).map(record => record.id)
    expect(new Set(ids).size).toBe(3)
    h.server.faults.repeatOnConnect = 3
    h.server.cut('reset')
    await until(() => h.server.asked('tail') === 2 && h.server.openTails === 1, 'the second tail')
    h.insert('next')
    await run.intake.waitFor(4)
    expect(run.bodies()).toEqual(['same', 'same', 'same', 'next'])
  })
})

describe('stop', () => {
  it('offers nothing more and leaves no timer', async () => {
    const clock = new VirtualClock()
    const h = await harness({ clock })
    const run = await h.run()
    await tailing(h)
    await run.stop()
    h.insert('too late')
    await new Promise(resolve => setTimeout(resolve, 30))
    expect(run.intake.records()).toHaveLength(0)
    expect(clock.pending).toBe(0)
    expect(h.server.openTails).toBe(0)
  })
})
