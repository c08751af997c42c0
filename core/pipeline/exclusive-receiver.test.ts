import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leaseOn, TTL_MS } from '../../test/support/lease.js'
import { runs } from '../../test/support/property.js'
import { type Intake, type LeaseStore, type Receiver, RetryableError } from '../component/index.js'
import { createRecord } from '../model/index.js'
import { collectingIntake, type LogEntry, seededRandom, testContext, VirtualClock } from '../testing/index.js'
import { ExclusiveReceiver } from './exclusive-receiver.js'

interface Instance {
  readonly collector: number
  readonly token: number | undefined
  state: 'starting' | 'running' | 'closed'
}

interface Faults {
  startMs: number
  stopMs: number
  startFails: boolean
  /** The collector that cannot reach the storage. */
  cutOff: number | undefined
}

/** Collectors with one receiver each that offers a record every 100 ms while it runs. */
function collectors(count: number) {
  const clock = new VirtualClock()
  const lease = leaseOn(clock)
  const instances: Instance[] = []
  const logs: LogEntry[][] = []
  const offered: { readonly instance: Instance; readonly atMs: number }[] = []
  const faults: Faults = { startMs: 0, stopMs: 0, startFails: false, cutOff: undefined }
  const all = Array.from({ length: count }, (_, collector) => {
    const { logger, meter, logs: own } = testContext({ config: {} })
    logs.push(own)
    const create = (fence: () => number | undefined) => {
      const instance: Instance = { collector, token: fence(), state: 'starting' }
      instances.push(instance)
      return { receiver: ticking(instance), close: async () => undefined }
    }
    return new ExclusiveReceiver({
      id: 'ticking',
      lease: {
        ttlMs: TTL_MS,
        take: async who => reach(collector).take(who),
        free: async who => reach(collector).free(who),
      },
      create,
      clock,
      random: seededRandom(collector),
      logger,
      meter,
      reportStatus: () => undefined,
    })
  })

  function reach(collector: number): LeaseStore {
    if (collector === faults.cutOff) throw new RetryableError('cut_off', 'The network is down.')
    return lease
  }

  function ticking(instance: Instance): Receiver {
    const stop = new AbortController()
    const run = async (intake: Intake): Promise<void> => {
      while (!stop.signal.aborted) {
        const answer = await intake.offer([createRecord({ id: 'tick' })])
        if (!answer.busy) offered.push({ instance, atMs: clock.monotonicMs() })
        await clock.sleep(100, stop.signal)
      }
    }
    return {
      start: async intake => {
        if (faults.startMs > 0) await clock.sleep(faults.startMs)
        if (faults.startFails) throw new Error('cannot start')
        instance.state = 'running'
        void run(intake)
      },
      stop: async () => {
        if (faults.stopMs > 0) await clock.sleep(faults.stopMs)
        stop.abort()
      },
      close: async () => {
        instance.state = 'closed'
      },
      watermark: () => undefined,
    }
  }

  const running = () => instances.filter(instance => instance.state === 'running')
  return { clock, lease, instances, offered, faults, all, running, logs }
}

const started = (receiver: ExclusiveReceiver) => receiver.start(collectingIntake()).catch(() => undefined)

async function stopped(receiver: ExclusiveReceiver): Promise<void> {
  await receiver.stop()
  await receiver.close()
}

describe('an exclusive receiver', () => {
  test('that stands by when it is stopped leaves the lease to others, however long its pipelines drain', async () => {
    const { clock, all, running } = collectors(3)
    for (const receiver of all) await started(receiver)
    const [leader, draining, next] = all as [ExclusiveReceiver, ExclusiveReceiver, ExclusiveReceiver]
    await draining.stop()
    await stopped(leader)
    await clock.advance(2 * TTL_MS)
    expect(running().map(({ collector }) => collector)).toEqual([2])
    await draining.close()
    await stopped(next)
    expect(clock.pending).toBe(0)
  })

  test('says once that the storage is down, and that it is back', async () => {
    const { clock, lease, logs, all } = collectors(1)
    await started(all[0] as ExclusiveReceiver)
    lease.down = true
    await clock.advance(60_000)
    lease.down = false
    await clock.advance(60_000)
    expect(logs.flat().filter(({ message }) => message.includes('storage of the lease'))).toHaveLength(2)
    await stopped(all[0] as ExclusiveReceiver)
  })

  test('gives the lease up though the receiver cannot be closed', async () => {
    const clock = new VirtualClock()
    const lease = leaseOn(clock)
    const { logger, meter } = testContext({ config: {} })
    const broken: Receiver = {
      start: async () => undefined,
      stop: async () => undefined,
      close: () => Promise.reject(new Error('cannot close')),
      watermark: () => undefined,
    }
    const receiver = new ExclusiveReceiver({
      id: 'broken',
      lease,
      create: () => ({ receiver: broken, close: async () => undefined }),
      clock,
      random: seededRandom(1),
      logger,
      meter,
      reportStatus: () => undefined,
    })
    await receiver.start(collectingIntake())
    await receiver.stop()
    await expect(receiver.close()).rejects.toThrow('cannot close')
    expect(clock.pending).toBe(0)
    expect(await lease.take('another')).toEqual({ held: true, token: 2 })
  })

  test('whatever fails, only the newest term offers; when all works again one runs; closed, nothing is left', async () => {
    const step = fc.record({
      advanceMs: fc.integer({ min: 1, max: 4_000 }),
      down: fc.boolean(),
      answerDelayMs: fc.constantFrom(0, 0, 0, 100, 1_500, 2_900, 4_000),
      startMs: fc.constantFrom(0, 0, 500, 5_000),
      stopMs: fc.constantFrom(0, 0, 500, 5_000),
      startFails: fc.constantFrom(false, false, true),
      cutOff: fc.constantFrom(undefined, undefined, 0, 1, 2),
      forget: fc.constantFrom(false, false, false, false, true),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(2), async (steps, leaver) => {
        const { clock, lease, instances, offered, faults, all, running } = collectors(3)
        for (const receiver of all) void started(receiver)
        for (const { advanceMs, down, answerDelayMs, forget, ...rest } of steps) {
          Object.assign(lease, { down, answerDelayMs })
          Object.assign(faults, rest)
          if (forget) lease.forget()
          await clock.advance(advanceMs)
        }
        // A storage that lost the lease has two holders for a moment; the fence tells them apart.
        const tokens = offered.map(({ instance }) => instance.token ?? 0)
        if (!steps.some(({ forget }) => forget)) expect(tokens).toEqual([...tokens].sort((a, b) => a - b))

        Object.assign(lease, { down: false, answerDelayMs: 0 })
        Object.assign(faults, { startMs: 0, stopMs: 0, startFails: false, cutOff: undefined })
        await clock.advance(30_000)
        expect(running()).toHaveLength(1)
        const gone = stopped(all[leaver] as ExclusiveReceiver)
        await clock.advance(2 * TTL_MS)
        await gone
        expect(running()).toHaveLength(1)

        const closed = Promise.all(all.map(stopped))
        await clock.advance(30_000)
        await closed
        expect(running()).toEqual([])
        expect(instances.every(({ state }) => state !== 'running')).toBe(true)
        expect(clock.pending).toBe(0)
      }),
      runs(60, 20),
    )
  })
})
