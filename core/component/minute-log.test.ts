import { expect, it } from 'vitest'
import { VirtualClock } from '../testing/index.js'
import { MinuteLog } from './minute-log.js'

it('tells the first of a kind at once, the rest by their count once a minute, and then is still', async () => {
  const clock = new VirtualClock()
  const log = new MinuteLog(clock)
  const told: string[] = []
  const add = (kind: string, count = 1) => log.add(kind, count, sum => told.push(`${kind} ${sum}`))
  add('refused')
  add('expired', 3)
  add('refused', 4)
  add('refused', 5)
  expect(told.splice(0)).toEqual(['refused 1', 'expired 3'])
  await clock.advance(60_000)
  expect(told.splice(0)).toEqual(['refused 9'])
  add('expired')
  await clock.advance(59_999)
  expect(told.splice(0)).toEqual(['expired 1'])
  await clock.advance(60_001)
  expect(told).toEqual([])
  expect(clock.pending).toBe(0)
  add('refused', 2)
  add('refused', 3)
  log.close()
  expect(told).toEqual(['refused 2', 'refused 3'])
  expect(clock.pending).toBe(0)
})
