import { describe, expect, it } from 'vitest'
import { hold, retry, setUp } from '../../test/support/delivery.js'
import { type ExportRequest, PermanentError, type Sent } from '../component/index.js'
import { memoryKeyValue } from '../state/memory-key-value.js'
import { settleMicrotasks } from '../testing/index.js'

describe('a delivery', () => {
  it('sends what is queued, and settles on delivery', async () => {
    const rig = await setUp()
    const done = rig.enqueue('a', 'b')
    await settleMicrotasks()
    expect(rig.sent).toEqual([['a', 'b']])
    expect(rig.requests[0]).toMatchObject({ pipeline: 'logs', attempt: 1, queuedAt: rig.clock.now() })
    expect(await done).toEqual({ deadLettered: 0 })
    expect(await rig.delivery.stop(0)).toEqual({ delivered: 2, deadLettered: 0, persisted: 0, dropped: 0 })
    expect(rig.clock.pending).toBe(0)
  })

  it('sends one record a request for notifying exporters, in order, also while one is tried again', async () => {
    const failing = ['busy', 'busy', 'ok', 'ok', 'ok'] as const
    const rig = await setUp({ flags: { notifying: true }, answers: failing.map(retry) })
    const done = rig.enqueue('a', 'b')
    void rig.enqueue('c')
    await rig.clock.advance(10_000)
    expect(rig.sent).toEqual([['a'], ['a'], ['a'], ['b'], ['c']])
    expect(await done).toEqual({ deadLettered: 0 })
  })

  it('backs off from 500 ms, doubling to 30 s, and gives up after 5 minutes', async () => {
    const rig = await setUp({ answers: () => retry('busy') })
    const done = rig.enqueue('a')
    await rig.clock.advance(299_999)
    const waits = rig.times.slice(1).map((time, index) => time - (rig.times[index] as number))
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16000, ...Array(8).fill(30_000)])
    await rig.clock.advance(60_000)
    expect(await done).toEqual({ deadLettered: 1 })
    expect(rig.times.at(-1)).toBe(300_000)
    expect(await rig.letters()).toMatchObject([
      {
        component: 'exporter/webhook/x',
        pipeline: 'logs',
        reason: 'retries_exhausted',
        detail: 'busy',
        recordCount: 1,
      },
    ])
  })

  it('spreads the waits', async () => {
    const rig = await setUp({ answers: () => retry('busy'), config: {}, random: () => 0 })
    void rig.enqueue('a')
    await rig.clock.advance(760)
    expect(rig.times).toEqual([0, 250, 750])
  })

  it('waits as long as the destination asks', async () => {
    const rig = await setUp({ answers: [{ reason: '429', retryAfterMs: 20_000 }] })
    void rig.enqueue('a')
    await rig.clock.advance(60_000)
    expect(rig.times).toEqual([0, 20_000])
  })

  it('keeps a Retry-After within the time that is left', async () => {
    const rig = await setUp({ answers: () => ({ reason: '429', retryAfterMs: 86_400_000 }) })
    void rig.enqueue('a')
    await rig.clock.advance(400_000)
    expect(rig.times).toEqual([0, 300_000])
    expect(await rig.letters()).toHaveLength(1)
  })

  it('takes a throw as a failure that passes, unless it says otherwise', async () => {
    const rig = await setUp({
      answers: [
        () => {
          throw new Error('reset')
        },
        () => {
          throw new PermanentError('no', 'HTTP 404')
        },
      ],
    })
    const done = rig.enqueue('a', 'b')
    await rig.clock.advance(1_000)
    expect(await done).toEqual({ deadLettered: 2 })
    expect(await rig.letters()).toMatchObject([{ reason: 'refused', detail: 'HTTP 404', recordCount: 2 }])
  })

  it('dead-letters only the records that were refused', async () => {
    const rig = await setUp({ answers: [{ refused: [1, 7], reason: 'too old' }] })
    expect(await rig.enqueue('a', 'b', 'c')).toEqual({ deadLettered: 1 })
    const [letter] = await rig.letters()
    const request = await rig.deadLetters.get(letter?.id as string)
    expect(request?.records.map(record => record.id)).toEqual(['b'])
    expect(await rig.delivery.stop(0)).toMatchObject({ delivered: 2, deadLettered: 1 })
  })

  it.each([
    ['undefined', undefined],
    ['true', true],
    ['the error "no" for', new Error('no')],
    ['{ refused: 1 }', { refused: 1 }],
    ["{ refused: [ 5 ], reason: 'no' }", { refused: [5], reason: 'no' }],
  ])('tries again after an answer that is none, and says so: %s', async (shown, answer) => {
    const rig = await setUp({ answers: [() => answer as unknown as Sent] })
    const done = rig.enqueue('a')
    await rig.clock.advance(10_000)
    expect(await done).toEqual({ deadLettered: 0 })
    expect(rig.sent).toHaveLength(2)
    expect(rig.context.logs[0]?.attributes.reason).toContain(`send() answered ${shown}`)
    expect(rig.context.logs[0]?.attributes.reason).toContain("for 1 record: it must answer 'ok', { reason }")
  })

  it('keeps all of a request of which so many were rejected, and counts only those', async () => {
    const rig = await setUp({ answers: [{ rejected: 3, reason: '3 are too old' }] })
    expect(await rig.enqueue('a', 'b', 'c', 'd', 'e')).toEqual({ deadLettered: 3 })
    expect(await rig.letters()).toMatchObject([
      { reason: 'partly_rejected', detail: '3 are too old', recordCount: 5 },
    ])
    expect(rig.sent).toHaveLength(1)
    const all = await setUp({ answers: [{ rejected: 9, reason: 'all' }] })
    await all.enqueue('a', 'b')
    expect(await all.letters()).toMatchObject([{ reason: 'refused', recordCount: 2 }])
    const none = await setUp({ answers: [{ rejected: 0, reason: 'a warning' }] })
    expect(await none.enqueue('a')).toEqual({ deadLettered: 0 })
  })

  it('gives an attempt its time, also when the exporter ignores the signal', async () => {
    const signals: AbortSignal[] = []
    const hang = (_: ExportRequest, signal: AbortSignal): Promise<Sent> => {
      signals.push(signal)
      return new Promise(() => undefined)
    }
    const rig = await setUp({ answers: [hang] })
    const done = rig.enqueue('a')
    await rig.clock.advance(9_999)
    expect(signals[0]?.aborted).toBe(false)
    await rig.clock.advance(1)
    expect(signals[0]?.aborted).toBe(true)
    await rig.clock.advance(10_000)
    expect(rig.sent).toEqual([['a'], ['a']])
    expect(await done).toEqual({ deadLettered: 0 })
    expect(rig.context.logs[0]?.attributes.reason).toBe('No answer within 10000 ms.')
  })

  it('gives an attempt no limit with timeout 0, as the Collector does', async () => {
    const rig = await setUp({ config: { timeout: '0s' }, answers: [hold] })
    const done = rig.enqueue('a')
    await rig.clock.advance(86_400_000)
    expect(rig.sent).toEqual([['a']])
    rig.free()
    expect(await done).toEqual({ deadLettered: 0 })
    expect(rig.context.logs).toEqual([])
  })

  it('says that it is full as long as it is, beside what else is wrong', async () => {
    const rig = await setUp({
      config: { sending_queue: { queue_size: 2 } },
      flags: { notifying: true },
      answers: [hold, retry('down'), retry('still down')],
    })
    const said = () => rig.context.statuses.at(-1)
    await rig.put('a')
    expect(rig.context.statuses).toEqual([])
    const full = 'The queue is full: its pipelines wait, and their sources. It takes 2 requests.'
    await rig.put('b')
    expect(rig.delivery.full).toBe(true)
    expect(said()).toEqual({ status: 'recoverable_error', message: full })
    rig.free()
    await settleMicrotasks()
    expect(said()?.message).toBe(`Sending fails. down ${full}`)
    await rig.clock.advance(600)
    expect(said()?.message).toBe(`Sending fails. still down ${full}`)
    await rig.clock.advance(10_000)
    expect(said()).toEqual({ status: 'ok' })
    expect(rig.context.logs.map(({ message }) => message)).toContain('The queue has room again.')
    expect(rig.clock.pending).toBe(0)
    await rig.put('c', 'd')
    await rig.delivery.stop(0)
    expect(rig.clock.pending).toBe(0)
  })

  it('is not full while a write is under way that has room for what came', async () => {
    const store = memoryKeyValue()
    let go = (): void => undefined
    const answer = new Promise<void>(resolve => {
      go = resolve
    })
    const slow = {
      ...store,
      write: async (changes: Parameters<typeof store.write>[0]) => {
        await answer
        await store.write(changes)
      },
    }
    const rig = await setUp({ store: slow, config: { sending_queue: { queue_size: 31 } } })
    const puts = Array.from({ length: 30 }, (_, index) => rig.put(`${index}`))
    await settleMicrotasks()
    expect(rig.delivery.full).toBe(false)
    puts.push(rig.put('the last that fits'))
    expect(rig.delivery.full).toBe(true)
    go()
    await Promise.all(puts)
    expect(rig.context.logs.map(({ message }) => message)).toEqual([
      'The queue is full: its pipelines wait, and their sources.',
    ])
  })

  it('takes nothing new while something waits for a store that fails', async () => {
    const write = async () => {
      throw new Error('ENOSPC')
    }
    const rig = await setUp({ store: { ...memoryKeyValue(), write } })
    for (const id of 'ab') rig.put(id).catch(() => undefined)
    await settleMicrotasks()
    expect(rig.delivery.full).toBe(true)
    expect(rig.context.statuses.at(-1)?.message).toBe("The queue's storage fails. ENOSPC")
    const stopped = rig.delivery.stop(0)
    await rig.clock.advance(1)
    await stopped
  })

  it('stalls whoever enqueues while it is full, and keeps their order', async () => {
    const rig = await setUp({
      config: { sending_queue: { queue_size: 2, num_consumers: 1 } },
      answers: () => hold,
    })
    const [first, second, third] = ['a', 'b', 'c'].map(id => rig.put(id))
    await Promise.all([first, second])
    expect(rig.delivery.full).toBe(true)
    let entered = false
    void third?.then(() => {
      entered = true
    })
    await settleMicrotasks()
    expect(entered).toBe(false)
    rig.free()
    await third
    for (let turn = 0; turn < 3; turn++) {
      rig.free()
      await settleMicrotasks()
    }
    expect(rig.sent).toEqual([['a'], ['b'], ['c']])
    expect(rig.delivery.full).toBe(false)
  })

  it('lets a batch in piece by piece that is larger than the queue', async () => {
    const rig = await setUp({ flags: { notifying: true }, config: { sending_queue: { queue_size: 3 } } })
    expect(await rig.enqueue(...'abcdefgh')).toEqual({ deadLettered: 0 })
    expect(rig.sent.flat().join('')).toBe('abcdefgh')
  })

  it('measures itself in requests, items or bytes', async () => {
    const size = async (sizer: 'requests' | 'items' | 'bytes', queue_size: number): Promise<boolean> => {
      const rig = await setUp({ config: { sending_queue: { sizer, queue_size } }, answers: () => hold })
      await rig.put('a', 'b', 'c')
      return rig.delivery.full
    }
    expect(await size('requests', 1)).toBe(true)
    expect(await size('requests', 2)).toBe(false)
    expect(await size('items', 3)).toBe(true)
    expect(await size('items', 4)).toBe(false)
    expect(await size('bytes', 100)).toBe(true)
    expect(await size('bytes', 10_000)).toBe(false)
  })

  it('sends only what the condition wants, and dead-letters what it fails on', async () => {
    const rig = await setUp({
      condition: record => {
        if (record.id === 'bad') throw new Error('no such function')
        return record.id !== 'no'
      },
    })
    expect(await rig.enqueue('no')).toEqual({ deadLettered: 0 })
    expect(await rig.enqueue('a', 'no', 'bad', 'b')).toEqual({ deadLettered: 1 })
    expect(rig.sent).toEqual([['a', 'b']])
    expect(await rig.letters()).toMatchObject([{ reason: 'condition_failed', detail: 'no such function' }])
  })

  it('joins and cuts requests, a pipeline at a time', async () => {
    const batch = { min_size: 3, max_size: 4, flush_timeout: '1s' }
    const rig = await setUp({ config: { sending_queue: { batch, num_consumers: 1 } } })
    const done = [rig.enqueue('a', 'b'), rig.enqueueTo('other', 'x'), rig.enqueue('c', 'd', 'e')]
    await settleMicrotasks()
    expect(rig.sent).toEqual([['a', 'b', 'c', 'd']])
    await rig.clock.advance(999)
    expect(rig.sent).toHaveLength(1)
    await rig.clock.advance(1)
    expect(rig.sent.slice(1).sort()).toEqual([['e'], ['x']])
    expect(await Promise.all(done)).toEqual(Array(3).fill({ deadLettered: 0 }))
  })

  it('without a queue holds the pipeline until the records are delivered', async () => {
    const rig = await setUp({ flags: { local: true }, answers: [retry('full'), 'ok'] })
    let entered = false
    void rig.put('a').then(() => {
      entered = true
    })
    await rig.clock.advance(499)
    expect(entered).toBe(false)
    await rig.clock.advance(1)
    expect(entered).toBe(true)
  })

  it('tells of an trouble at its start, once a minute, and at its end', async () => {
    const rig = await setUp({ answers: Array(12).fill(retry('HTTP 503')) })
    void rig.enqueue('a')
    await rig.clock.advance(300_000)
    expect(
      rig.context.logs.map(({ level, message, attributes }) => [level, message, attributes.failures]),
    ).toEqual([
      ['warn', 'Sending fails.', 1],
      ['warn', 'Sending fails.', 7],
      ['warn', 'Sending fails.', 2],
      ['warn', 'Sending fails.', 2],
      ['info', 'Sending works again.', 12],
    ])
    expect(rig.context.statuses).toEqual([
      { status: 'recoverable_error', message: 'Sending fails. HTTP 503' },
      { status: 'ok' },
    ])
  })
})

describe('the end of a delivery', () => {
  it('goes on sending until the deadline, and drops what a memory queue still holds, unsettled', async () => {
    const rig = await setUp({ flags: { notifying: true }, answers: ['ok', ...Array(50).fill(retry('down'))] })
    let settled = false
    void rig.enqueue('a', 'b').then(() => {
      settled = true
    })
    await settleMicrotasks()
    const report = rig.delivery.stop(20_000)
    await rig.clock.advance(20_000)
    expect(await report).toEqual({ delivered: 1, deadLettered: 0, persisted: 0, dropped: 1 })
    expect(rig.times.at(-1)).toBeGreaterThan(10_000)
    expect(settled).toBe(false)
    expect(rig.context.logs.at(-1)).toMatchObject({ level: 'warn', attributes: { records: 1 } })
    expect(rig.stopped).toBe(1)
    await expect(rig.put('c')).rejects.toThrow(/has stopped/)
    expect(rig.clock.pending).toBe(0)
  })

  it('tries what waits for a retry when it drains, and goes on trying: not where the destination asked for time', async () => {
    const rig = await setUp({ answers: () => retry('down') })
    void rig.enqueue('a')
    await rig.clock.advance(100_000)
    const before = rig.times.length
    const report = rig.delivery.stop(20_000)
    await rig.clock.advance(20_000)
    expect(await report).toMatchObject({ dropped: 1 })
    expect(rig.times.slice(before).map(time => time - 100_000)).toEqual(
      Array.from({ length: 10 }, (_, index) => index * 2_000),
    )
    const asked = await setUp({ answers: () => ({ reason: '429', retryAfterMs: 30_000 }) })
    void asked.enqueue('a')
    await asked.clock.advance(10_000)
    const stopped = asked.delivery.stop(20_000)
    await asked.clock.advance(19_000)
    expect(asked.times).toEqual([0])
    await asked.clock.advance(1_000)
    await stopped
  })

  it('aborts what hangs', async () => {
    const rig = await setUp({ answers: () => () => new Promise(() => undefined) })
    await rig.put('a')
    const report = rig.delivery.stop(1_000)
    await rig.clock.advance(2_000)
    expect(await report).toMatchObject({ dropped: 1 })
  })

  it('hands a memory queue over to the next delivery of the id', async () => {
    const answers = [hold, ...Array(50).fill(retry('down'))]
    const rig = await setUp({ config: { sending_queue: { queue_size: 2, num_consumers: 1 } }, answers })
    const done = [rig.enqueue('a'), rig.enqueue('b', 'c'), rig.enqueue('d')]
    await settleMicrotasks()
    const handover = rig.delivery.takeOver(5_000)
    rig.free()
    const next = await setUp({ clock: rig.clock, inherit: await handover, flags: { notifying: true } })
    expect(await Promise.all(done)).toEqual(Array(3).fill({ deadLettered: 0 }))
    expect(rig.sent).toEqual([['a']])
    expect(next.sent).toEqual([['b', 'c'], ['d']])
  })
})
