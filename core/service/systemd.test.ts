import { describe, expect, it } from 'vitest'
import { collectingLogger, type LogEntry, VirtualClock } from '../testing/index.js'
import { createServiceManager } from './systemd.js'

function setUp(env: NodeJS.ProcessEnv, fails = false) {
  const clock = new VirtualClock()
  const logs: LogEntry[] = []
  const told: string[][] = []
  const state = { healthy: true }
  const manager = createServiceManager({
    env,
    pid: 7,
    clock,
    logger: collectingLogger(logs),
    healthy: () => state.healthy,
    notify: async assignments => {
      if (fails) throw new Error('spawn systemd-notify ENOENT')
      told.push([...assignments])
    },
  })
  return { clock, logs, told, state, manager }
}

const SOCKET = { NOTIFY_SOCKET: '/run/notify' }

describe('the service manager', () => {
  it('is told nothing where there is none', async () => {
    const { manager, told, clock } = setUp({ WATCHDOG_USEC: '1000000' })
    await manager.ready('x')
    await manager.stopping()
    expect(told).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('is told of the start, reloads and the end', async () => {
    const { manager, told, clock } = setUp(SOCKET)
    await manager.ready('Pipelines: a,\n b')
    await manager.reloading()
    await manager.ready('again')
    await manager.stopping()
    expect(told).toEqual([
      ['READY=1', 'STATUS=Pipelines: a, b'],
      ['RELOADING=1', expect.stringMatching(/^MONOTONIC_USEC=\d+$/), expect.stringContaining('STATUS=')],
      ['READY=1', 'STATUS=again'],
      ['STOPPING=1', 'STATUS=Draining'],
    ])
    expect(clock.pending).toBe(0)
  })

  it('has its watchdog fed twice in each interval while the pipelines live', async () => {
    const { manager, told, clock, state, logs } = setUp({ ...SOCKET, WATCHDOG_USEC: '30000000' })
    const fed = (): number => told.filter(([first]) => first === 'WATCHDOG=1').length
    await clock.advance(60_000)
    expect(fed()).toBe(0)
    await manager.ready('x')
    await manager.ready('x')
    await clock.advance(60_000)
    expect(fed()).toBe(4)
    state.healthy = false
    await clock.advance(60_000)
    expect(fed()).toBe(4)
    expect(logs.map(({ message }) => message)).toEqual([
      'A pipeline is dead: the watchdog of systemd is no longer fed.',
    ])
    state.healthy = true
    await clock.advance(15_000)
    expect(fed()).toBe(5)
    manager.close()
    await clock.advance(60_000)
    expect(fed()).toBe(5)
    expect(clock.pending).toBe(0)
  })

  it("leaves another process's watchdog alone", async () => {
    const { manager, told, clock } = setUp({ ...SOCKET, WATCHDOG_USEC: '1000000', WATCHDOG_PID: '8' })
    await manager.ready('x')
    await clock.advance(10_000)
    expect(told).toHaveLength(1)
  })

  it('that cannot be told does not stop the collector', async () => {
    const { manager, logs } = setUp(SOCKET, true)
    await manager.ready('x')
    expect(logs).toMatchObject([
      { level: 'warn', attributes: { told: 'READY=1', reason: expect.stringContaining('NotifyAccess=all') } },
    ])
  })
})
