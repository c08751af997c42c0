import { describe, expect, it } from 'vitest'
import { keyValueConformance, stateStoreConformance } from '../testing/index.js'
import { memoryKeyValue } from './memory-key-value.js'
import { memoryState, memoryStorage } from './memory-state.js'

describe('memory stores', () => {
  for (const check of stateStoreConformance('state', memoryState)) it(check.name, check.run)
  for (const check of keyValueConformance('key-value', memoryKeyValue)) it(check.name, check.run)

  it('keep a namespace through a reload, with the new limit', async () => {
    const storage = memoryStorage()
    const codec = { encode: String, decode: Number }
    const change = { expected: undefined, due: undefined, pinned: false, journal: [] }
    const before = storage.state('a', { codec, maxKeys: 9 })
    await before.write(
      [1, 2, 3].map(state => ({ ...change, key: `k${state}`, state })),
      0n,
    )
    const after = storage.state('a', { codec, maxKeys: 2 })
    const { evicted } = await after.write([{ ...change, key: 'k4', state: 4 }], 0n)
    expect(evicted).toBe(2)
    const read = await after.read([{ key: 'k3', recordIds: [] }])
    expect(read[0]?.state).toBe(3)
    const other = await storage.state('b', { codec, maxKeys: 9 }).read([{ key: 'k3', recordIds: [] }])
    expect(other[0]?.state).toBeUndefined()
    await storage.keyValue('a').write([{ key: 'x', value: Buffer.from('1') }])
    expect(await storage.keyValue('a').get('x')).toBeDefined()
    expect(await storage.keyValue('b').get('x')).toBeUndefined()
  })
})
