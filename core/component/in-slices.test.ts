import { expect, test } from 'vitest'
import { breather, inSlices } from './in-slices.js'

const SLICE_MS = 3

test('between long pieces that follow each other the event loop goes on', async () => {
  const turns = countTurns()
  const found: number[] = []
  for (let piece = 0; piece < 5; piece++) {
    const wait = breather()
    if (wait) await wait
    found.push(turns.so.far)
    busy(SLICE_MS)
  }
  turns.stop()
  expect(new Set(found).size).toBe(5)
})

test('those who wait have a turn each, in the order in which they came', async () => {
  const turns = countTurns()
  const found: [piece: number, turn: number][] = []
  await freshTurn()
  const pieces = Array.from({ length: 5 }, async (_, piece) => {
    const wait = breather()
    if (wait) await wait
    found.push([piece, turns.so.far])
    busy(SLICE_MS)
  })
  await Promise.all(pieces)
  turns.stop()
  expect(found.map(([piece]) => piece)).toEqual([0, 1, 2, 3, 4])
  expect(new Set(found.map(([, turn]) => turn)).size).toBe(5)
})

test('long works in slices share the turns: the more of them, the more turns', async () => {
  const turns = countTurns()
  const slices: number[] = []
  await Promise.all(
    Array.from({ length: 4 }, () =>
      inSlices(
        (function* () {
          for (let step = 0; step < 5; step++, yield) {
            slices.push(turns.so.far)
            busy(SLICE_MS)
          }
        })(),
      ),
    ),
  )
  turns.stop()
  // The first slices are those of the calls.
  expect(new Set(slices).size).toBeGreaterThanOrEqual(16)
})

test('short pieces share a turn', async () => {
  await freshTurn()
  expect(breather()).toBeUndefined()
})

/** Nothing has been done in it. */
function freshTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(() => setImmediate(resolve)))
}

function busy(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

function countTurns() {
  const so = { far: 0 }
  let next = setImmediate(function turn() {
    so.far++
    next = setImmediate(turn)
  })
  return { so, stop: () => clearImmediate(next) }
}
