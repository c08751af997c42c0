import { deepEqual, equal } from 'node:assert/strict'
import type { KeyValueStore } from '../../component/index.js'
import { type ConformanceCheck, ruleCheck } from './check.js'

/** What every key-value store does. `open` gives a store that is empty, another one each time. */
export function keyValueConformance(
  name: string,
  open: () => KeyValueStore | Promise<KeyValueStore>,
): ConformanceCheck[] {
  const check = (what: string, run: (store: KeyValueStore) => Promise<void>): ConformanceCheck =>
    ruleCheck(name, what, async () => run(await open()))
  return [
    check('gives back what was written, byte for byte', async store => {
      const value = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      await store.write([put('a', value)])
      deepEqual(bytes(await store.get('a')), [...value])
      equal(await store.get('b'), undefined)
    }),
    check('keeps an empty value apart from none', async store => {
      await store.write([put('a', new Uint8Array(0))])
      deepEqual(bytes(await store.get('a')), [])
    }),
    check('overwrites and removes', async store => {
      await store.write([put('a', text('1')), put('b', text('1'))])
      await store.write([
        put('a', text('2')),
        { key: 'b', value: undefined },
        { key: 'none', value: undefined },
      ])
      deepEqual(await entries(store), [['a', '2']])
    }),
    check('applies the changes of a write in order', async store => {
      await store.write([
        put('a', text('1')),
        { key: 'a', value: undefined },
        put('b', text('1')),
        put('b', text('2')),
      ])
      deepEqual(await entries(store), [['b', '2']])
    }),
    check('does not see later changes of a value that it was given', async store => {
      const value = text('before')
      const written = store.write([put('a', value)])
      await written
      value.fill(0)
      equal(Buffer.from((await store.get('a')) as Uint8Array).toString(), 'before')
    }),
    check('orders keys by their UTF-8 bytes', async store => {
      const keys = ['', 'a', 'a\0', 'a\0b', 'aa', 'b', 'é', '\uffee', '😀']
      await store.write([...keys].reverse().map(key => put(key, text(key))))
      deepEqual(
        (await entries(store)).map(([key]) => key),
        keys,
      )
    }),
    check('gives a range from, inclusive, to, exclusive, up to a limit', async store => {
      await store.write(['a', 'b', 'c', 'd', 'e'].map(key => put(key, text(key))))
      const keys = async (from: string, to: string, limit: number) =>
        (await store.range(from, to, limit)).map(([key]) => key)
      deepEqual(await keys('b', 'd', 9), ['b', 'c'])
      deepEqual(await keys('b', 'z', 2), ['b', 'c'])
      deepEqual(await keys('bb', 'c', 9), [])
      deepEqual(await keys('a', 'e', 0), [])
    }),
    check('keeps writes that run at the same time, each whole', async store => {
      await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          store.write([put(`x${n}`, text(`${n}`)), put('last', text(`${n}`))]),
        ),
      )
      const all = await entries(store)
      equal(all.length, 51)
      equal(all[0]?.[1], '49')
    }),
    check('takes a value of 1 MiB', async store => {
      const value = Buffer.alloc(1 << 20, 'large ')
      await store.write([put('large', value)])
      equal(Buffer.compare(Buffer.from((await store.get('large')) as Uint8Array), value), 0)
    }),
  ]
}

const LAST_KEY = '\u{10ffff}'

async function entries(store: KeyValueStore): Promise<(readonly [string, string])[]> {
  const found = await store.range('', LAST_KEY, 1_000)
  return found.map(([key, value]) => [key, Buffer.from(value).toString()] as const)
}

function put(key: string, value: Uint8Array) {
  return { key, value }
}

function text(value: string): Uint8Array {
  return new Uint8Array(Buffer.from(value))
}

function bytes(value: Uint8Array | undefined): number[] | undefined {
  return value && [...value]
}
