import { expect, it } from 'vitest'
import { startAll } from './lifecycle.js'

it('starts all at once and tells of a failure when none is starting any more', async () => {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const starting = startAll(['a', 'fails', 'b'], async name => {
    begun.push(name)
    if (name === 'fails') throw new Error('told to')
    await new Promise<void>(resolve => ends.push(resolve))
  })
  let over = false
  const watched = starting.finally(() => {
    over = true
  })
  const failed = expect(watched).rejects.toThrow('told to')
  expect(begun).toEqual(['a', 'fails', 'b'])
  await new Promise(resolve => setImmediate(resolve))
  expect(over).toBe(false)
  for (const end of ends) end()
  await failed
})
