import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runs } from '../../test/support/property.js'
import type { Clock } from '../component/context.js'
import { VirtualClock } from '../testing/index.js'
import { AwakeTimer } from './awake-timer.js'

/** The simple way: each task has timers of its own. */
function scheduleAwake(clock: Clock, delayMs: number, task: () => void): () => void {
  let looks = 0
  let cancelled = false
  let cancelTimer = (): void => {}
  const look = (): void => {
    cancelTimer = clock.schedule(delayMs / 10, () =>
      setImmediate(() => {
        if (cancelled) return
        if (++looks < 10) look()
        else task()
      }),
    )
  }
  look()
  return () => {
    cancelled = true
    cancelTimer()
  }
}

it('is over when a timer of its own would be, however many tasks share it', async () => {
  // How long each task is under way, and how long nothing is before the next; ms.
  const tasks = fc.array(fc.tuple(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 0, max: 30 })), {
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(tasks, async tasks => {
      const clock = new VirtualClock('2026-01-15T10:00:00Z')
      const timer = new AwakeTimer(clock, 100)
      const [shared, own]: [string[], string[]] = [[], []]
      for (const [index, [takesMs, pauseMs]] of tasks.entries()) {
        const told = (list: string[]) => () => list.push(`${index} at ${clock.monotonicMs()}`)
        timer.start(told(shared))
        const cancel = scheduleAwake(clock, 100, told(own))
        await clock.advance(takesMs)
        timer.stop()
        cancel()
        await clock.advance(pauseMs)
      }
      expect(shared).toEqual(own)
      expect(own).toHaveLength(tasks.filter(([takesMs]) => takesMs >= 100).length)
      timer.close()
      expect(clock.pending).toBe(0)
    }),
    runs(),
  )
})
