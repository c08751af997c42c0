import { afterEach, expect, it } from 'vitest'
import { armFailpoints, failpoint } from './failpoints.js'

let disarm = (): void => {}
afterEach(() => disarm())

it('kills at the given passing, once, and never where it was not asked to', () => {
  let kills = 0
  disarm = armFailpoints('after_sending=kill@3, after_reading=kill@1', () => kills++)
  const pass = (name: Parameters<typeof failpoint>[0]): number => {
    failpoint(name)
    return kills
  }
  expect([pass('after_sending'), pass('after_sending'), pass('after_deciding')]).toEqual([0, 0, 0])
  expect([pass('after_sending'), pass('after_sending')]).toEqual([1, 1])
  expect([pass('after_reading'), pass('after_reading')]).toEqual([2, 2])
})

it('does nothing when it is not armed', () => {
  let kills = 0
  armFailpoints('after_sending=kill@1', () => kills++)()
  failpoint('after_sending')
  expect(kills).toBe(0)
})

it.each(['', 'x=kill@1', 'after_sending', 'after_sending=kill@0', 'after_sending=sleep@1'])(
  'refuses "%s"',
  text => {
    expect(() => armFailpoints(text, () => {})).toThrow(/is no failpoint: write NAME=kill@N/)
  },
)
