import { createRecord } from 'tocsin/component'
import { testContext, VirtualClock } from 'tocsin/testing'
import { expect, it } from 'vitest'
import { CheckpointStore } from './checkpoint-store.js'
import { Checkpointer } from './checkpointer.js'

it('writes and releases nothing once it is closed: another receiver may have the storage', async () => {
  const clock = new VirtualClock()
  const { logger, storage } = testContext({ config: {} })
  const store = storage()
  const position = { completeTo: 1n, checkedTo: 1n, asOf: 1n }
  const checkpointer = new Checkpointer(
    {
      checkpoint: new CheckpointStore(store, 1_000, [1, 2]),
      clock,
      logger,
      maxRecords: 1,
      oldestUnsettled: () => undefined,
      forget: () => 0n,
      onHeld: () => undefined,
    },
    position,
  )
  await checkpointer.close()
  let released = false
  const settled = { busy: false, deadLettered: 0, release: () => (released = true) } as never
  checkpointer.add({ records: [createRecord({ id: 'late' })], lines: undefined, bytes: 1, position }, settled)
  await clock.advance(10_000)
  expect(await store.get('position')).toBeUndefined()
  expect([released, clock.pending]).toEqual([false, 0])
})
