import type { KeyValueStore } from 'tocsin/component'
import { testContext } from 'tocsin/testing'
import { expect, test } from 'vitest'
import { KnownRules } from './known-rules.js'

const HOUR = 3_600_000_000_000n

test('what could not be saved is saved by the next load', async () => {
  const store = testContext({ config: {} }).storage()
  let away = true
  const fragile: KeyValueStore = {
    get: key => store.get(key),
    range: (from, to, limit) => store.range(from, to, limit),
    write: changes => (away ? Promise.reject(new Error('away')) : store.write(changes)),
  }
  const known = new KnownRules(fragile)
  known.loaded(new Map([['a', HOUR]]))
  await expect(known.save()).rejects.toThrow('away')
  away = false
  // Nothing changed since.
  known.loaded(new Map([['a', HOUR]]))
  await known.save()

  const restarted = new KnownRules(store)
  await restarted.restore()
  expect([...restarted.loaded(new Map([['a', 2n * HOUR]]))]).toEqual(['a'])
  restarted.loaded(new Map())
  expect(restarted.isRemoved('a')).toBe(false)
  restarted.loaded(new Map())
  expect([...restarted.removed]).toEqual(['a'])
  restarted.forget(new Set(['a']))
  expect(restarted.isRemoved('a')).toBe(false)
})
