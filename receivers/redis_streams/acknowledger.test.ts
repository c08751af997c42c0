import { VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { Acknowledger } from './acknowledger.js'

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} }

test('what is settled in the turn in which the last acknowledgement ends is acknowledged too', async () => {
  const seen: string[] = []
  const acknowledger: Acknowledger = new Acknowledger(
    { token: 1, signal: new AbortController().signal, held: () => true, end() {} },
    {
      clock: new VirtualClock(),
      logger: LOGGER,
      acknowledge: async ids => seen.push(...ids) > 0,
      acknowledged: () => {
        if (seen.length === 1)
          void Promise.resolve().then(() => acknowledger.add({ id: '2', settled: undefined }))
      },
    },
  )
  acknowledger.add({ id: '1', settled: undefined })
  await expect.poll(() => seen).toEqual(['1', '2'])
})

test('what is settled after the term ran out is not acknowledged, also where no timer has said so yet', async () => {
  let held = true
  const seen: string[] = []
  let released = 0
  const acknowledger = new Acknowledger(
    { token: 1, signal: new AbortController().signal, held: () => held, end() {} },
    {
      clock: new VirtualClock(),
      logger: LOGGER,
      acknowledge: async ids => seen.push(...ids) > 0,
      acknowledged: () => {},
    },
  )
  const settled = { deadLettered: 0, release: () => void released++ }
  acknowledger.add({ id: '1', settled })
  await acknowledger.flushed()
  // As after a pause: a batch of it meets a state that is fenced, and is given up.
  held = false
  acknowledger.add({ id: '2', settled })
  await acknowledger.flushed()
  expect({ seen, released }).toEqual({ seen: ['1'], released: 1 })
})
