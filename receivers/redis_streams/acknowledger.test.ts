import { VirtualClock } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { Acknowledger } from './acknowledger.js'

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} }

test('what is settled in the turn in which the last acknowledgement ends is acknowledged too', async () => {
  const seen: string[] = []
  const acknowledger: Acknowledger = new Acknowledger(
    { token: 1, signal: new AbortController().signal, held: () => true },
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
