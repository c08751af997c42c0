import { once, setMaxListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../service/clock.js'
import { VirtualClock } from '../testing/index.js'
import { onAbort } from './on-abort.js'
import { orAborted } from './or-aborted.js'

const warnings: Error[] = []
const note = (warning: Error): void => void warnings.push(warning)
beforeEach(() => {
  warnings.length = 0
  process.on('warning', note)
})
afterEach(() => void process.off('warning', note))

it('tells all who wait, and not those who do no more', () => {
  const { signal, abort } = controller()
  const told: string[] = []
  const cancel = onAbort(signal, () => told.push('gone'))
  const twice = (): void => void told.push('twice')
  onAbort(signal, twice)
  onAbort(signal, twice)
  cancel()
  abort()
  onAbort(signal, () => told.push('late'))
  expect(told).toEqual(['twice', 'twice', 'late'])
})

it('listens again after the last one went', () => {
  const { signal, abort } = controller()
  let told = 0
  onAbort(signal, () => told++)()
  onAbort(signal, () => told++)
  abort()
  expect(told).toBe(1)
})

it('many may wait for one signal: no warning of a leak', async () => {
  const { signal, abort } = controller()
  const clock = new VirtualClock()
  const waits = Array.from({ length: 50 }, () => [
    systemClock.sleep(60_000, signal),
    clock.sleep(60_000, signal),
    orAborted(new Promise(() => undefined), signal),
  ])
  abort()
  await Promise.all(waits.flat())
  await turn()
  expect(warnings).toEqual([])
  // That a warning would be seen here.
  const { signal: other } = controller()
  const warned = once(process, 'warning')
  for (let count = 0; count < 11; count++) other.addEventListener('abort', () => undefined)
  await warned
  expect(warnings).toHaveLength(1)
})

function controller(): { signal: AbortSignal; abort: () => void } {
  const made = new AbortController()
  // The default of Node.js 20; newer ones never warn of a signal.
  setMaxListeners(10, made.signal)
  return { signal: made.signal, abort: () => made.abort() }
}
