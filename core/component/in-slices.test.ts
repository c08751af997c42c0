import { expect, test } from 'vitest'
import { Breather } from './in-slices.js'

function busy(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test('between long pieces that follow each other the event loop goes on', async () => {
  const breather = new Breather()
  let turns = 0
  let next = setImmediate(function turn() {
    turns++
    next = setImmediate(turn)
  })
  for (let piece = 0; piece < 5; piece++) {
    await breather.pause()
    busy(5)
  }
  clearImmediate(next)
  expect(turns).toBeGreaterThanOrEqual(3)
})

test('short ones share a turn', () => {
  const breather = new Breather()
  expect(breather.pause()).toBeUndefined()
})
