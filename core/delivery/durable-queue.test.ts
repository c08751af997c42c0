import { describe, expect, it } from 'vitest'
import { hold, retry, setUp } from '../../test/support/delivery.js'
import { onAbort, type Sent } from '../component/index.js'
import { memoryKeyValue } from '../state/memory-key-value.js'
import { settleMicrotasks } from '../testing/index.js'

describe('a durable queue', () => {
  it('settles on the write, and delivers after a crash what was not delivered', async () => {
    const store = memoryKeyValue()
    const rig = await setUp({
      store,
      answers: ['ok', retry('down')],
      config: { sending_queue: { num_consumers: 1 } },
    })
    expect(await rig.enqueue('a')).toEqual({ deadLettered: 0 })
    expect(await rig.enqueue('b', 'c')).toEqual({ deadLettered: 0 })
    await settleMicrotasks()
    // The first delivery is abandoned.
    const next = await setUp({ store })
    await settleMicrotasks()
    expect(next.sent).toEqual([['b', 'c']])
    expect(next.requests[0]).toMatchObject({ pipeline: 'logs', attempt: 1, queuedAt: rig.clock.now() })
    await next.delivery.stop(0)
    expect(await store.range('', '~', 10)).toEqual([])
  })

  it('does not wait for a destination that is down, and keeps what is left', async () => {
    const store = memoryKeyValue()
    const rig = await setUp({ store, flags: { notifying: true }, answers: () => retry('down') })
    await rig.put('a', 'b')
    await settleMicrotasks()
    expect(await rig.delivery.stop(20_000)).toMatchObject({ persisted: 2, dropped: 0 })
    expect(rig.clock.monotonicMs()).toBe(0)
    const next = await setUp({ store, flags: { notifying: true } })
    await settleMicrotasks()
    expect(next.sent).toEqual([['a'], ['b']])
  })

  it('at the end of a finite input goes on trying until it may leave', async () => {
    const store = memoryKeyValue()
    const rig = await setUp({ store, answers: [retry('down'), retry('down'), 'ok', retry('down')] })
    await rig.put('a')
    const never = new Promise(() => undefined)
    const finished = rig.delivery.stop(20_000, never)
    await rig.clock.advance(20_000)
    expect(await finished).toMatchObject({ delivered: 1, persisted: 0 })

    const down = await setUp({ store, answers: () => retry('down') })
    await down.put('b')
    let leave = (): void => undefined
    const signal = new Promise<void>(resolve => {
      leave = resolve
    })
    const left = down.delivery.stop(20_000, signal)
    await down.clock.advance(5_000)
    leave()
    expect(await left).toMatchObject({ persisted: 1 })
    expect(down.clock.monotonicMs()).toBe(5_000)
  })

  it.each([
    ['of a destination that fails now and then', 0],
    ['of a slow one, and sends no more, when the time is nearly over', 20_000],
  ])('waits at a stop for the answer %s: what was taken is not told again', async (_, waitMs) => {
    const store = memoryKeyValue()
    let answer = (): void => undefined
    const underWay = (_request: unknown, signal: AbortSignal): Promise<Sent> =>
      new Promise((resolve, reject) => {
        answer = () => resolve('ok')
        onAbort(signal, () => reject(signal.reason))
      })
    const rig = await setUp({
      store,
      flags: { notifying: true },
      config: { timeout: '1m' },
      answers: waitMs > 0 ? [underWay] : [retry('down'), underWay],
    })
    await rig.put('a', 'b')
    // The first retry, where there is one.
    await rig.clock.advance(1_000)
    const stopped = rig.delivery.stop(20_000)
    await rig.clock.advance(waitMs > 0 ? waitMs - 100 : 500)
    answer()
    await rig.clock.advance(1_000)
    expect(await stopped).toMatchObject({ delivered: 1, persisted: 1 })
    const next = await setUp({ store, flags: { notifying: true } })
    await settleMicrotasks()
    expect(next.sent).toEqual([['b']])
  })

  it('writes what waits for room when it is stopped', async () => {
    const store = memoryKeyValue()
    const rig = await setUp({
      store,
      config: { sending_queue: { queue_size: 1 } },
      answers: () => retry('down'),
    })
    await rig.put('a')
    const waiting = rig.put('b')
    await settleMicrotasks()
    expect(await rig.delivery.stop(20_000)).toMatchObject({ persisted: 2 })
    await waiting
  })

  it('keeps trying to write while its storage fails', async () => {
    const store = memoryKeyValue()
    let broken = true
    const flaky = {
      ...store,
      write: async (changes: Parameters<typeof store.write>[0]) => {
        if (broken) throw new Error('ENOSPC')
        await store.write(changes)
      },
    }
    const rig = await setUp({ store: flaky })
    const done = rig.enqueue('a')
    await rig.clock.advance(5_000)
    expect(rig.sent).toEqual([])
    expect(rig.context.statuses).toMatchObject([{ status: 'recoverable_error' }])
    broken = false
    await rig.clock.advance(60_000)
    expect(await done).toEqual({ deadLettered: 0 })
    expect(rig.sent).toEqual([['a']])
    expect(rig.context.statuses.at(-1)).toEqual({ status: 'ok' })
  })

  it('holds only a window of a long queue in memory, and keeps its order', async () => {
    const store = memoryKeyValue()
    const ids = Array.from({ length: 700 }, (_, index) => `r${index}`)
    const rig = await setUp({ store, flags: { notifying: true }, answers: [hold] })
    await rig.put(...ids)
    rig.free()
    await settleMicrotasks()
    await rig.put('last')
    await rig.delivery.stop(60_000)
    expect(rig.sent.flat()).toEqual([...ids, 'last'])
  })

  it('with wait_for_result settles on delivery, also across a reload', async () => {
    const store = memoryKeyValue()
    const config = { sending_queue: { wait_for_result: true } }
    const rig = await setUp({ store, config, answers: [retry('down')] })
    let settled = false
    void rig.enqueue('a').then(() => {
      settled = true
    })
    await settleMicrotasks()
    const handover = await rig.delivery.takeOver(0)
    expect(settled).toBe(false)
    await setUp({ store, config, inherit: handover })
    await settleMicrotasks()
    expect(settled).toBe(true)
  })

  it('removes an entry that cannot be read, and says so', async () => {
    const store = memoryKeyValue()
    await store.write([{ key: 'queue/0000000000000004', value: Buffer.from('rubbish') }])
    const rig = await setUp({ store })
    await rig.put('a')
    await rig.delivery.stop(1_000)
    expect(rig.sent).toEqual([['a']])
    expect(rig.context.logs).toContainEqual(expect.objectContaining({ level: 'error' }))
    expect(await store.range('', '~', 10)).toEqual([])
  })
})
