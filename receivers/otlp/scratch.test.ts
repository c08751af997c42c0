import { expect, it } from 'vitest'
import { Scratch } from './scratch.js'

it('lends again what was given back, to one at a time', () => {
  const scratch = new Scratch()
  const [first, second] = [scratch.take(200_000), scratch.take(200_000)]
  expect(first.buffer).not.toBe(second.buffer)
  scratch.giveBack(first)
  scratch.giveBack(first)
  const third = scratch.take(190_000)
  expect([third.length, third.buffer]).toEqual([190_000, first.buffer])
  expect(scratch.take(190_000).buffer).not.toBe(first.buffer)
})

it('keeps nothing large, nothing that is not its own, and lends nothing much larger than what is asked for', () => {
  const scratch = new Scratch()
  const [large, own, other] = [scratch.take(5_000_000), scratch.take(900_000), Buffer.alloc(100_000)]
  for (const each of [large, own, other]) scratch.giveBack(each)
  expect(scratch.take(5_000_000).buffer).not.toBe(large.buffer)
  expect(scratch.take(100_000).buffer).not.toBe(other.buffer)
  expect(scratch.take(100_000).buffer).not.toBe(own.buffer)
  expect(scratch.take(900_000).buffer).toBe(own.buffer)
})
