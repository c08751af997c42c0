import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import type { StateOptions, StateStore } from '../../component/index.js'
import { type ConformanceCheck, ruleCheck } from './check.js'
import { JOURNAL_CHECKS } from './state-journal.js'
import { CODEC, change, entry, NOTHING, NOW, one, type Probe, write } from './state-probe.js'

export type { Probe } from './state-probe.js'

/** What a store may do differently. */
export interface StateStoreConformanceOptions {
  /** A store that keeps keys in several places may evict a little late. */
  readonly eviction?: 'exact' | 'approximate'
}

/** What every state store does. `open` gives a store that is empty, another one each time. */
export function stateStoreConformance(
  name: string,
  open: (options: StateOptions<Probe>) => StateStore<Probe> | Promise<StateStore<Probe>>,
  { eviction = 'exact' }: StateStoreConformanceOptions = {},
): ConformanceCheck[] {
  const check = (
    what: string,
    run: (store: StateStore<Probe>) => Promise<void>,
    maxKeys = 100_000,
  ): ConformanceCheck => ruleCheck(name, what, async () => run(await open({ codec: CODEC, maxKeys })))
  return [
    check('reads nothing where nothing was written', async store => {
      const entries = await store.read([
        { key: 'a', recordIds: [] },
        { key: 'b', recordIds: ['1'] },
      ])
      for (const entry of entries) {
        deepEqual({ ...entry, journal: [...entry.journal] }, NOTHING)
      }
      equal(entries.length, 2)
      deepEqual(await store.read([]), [])
      const { applied, evicted } = await store.write([], NOW)
      deepEqual([applied, evicted], [[], 0])
    }),
    check('gives back state, due and pinned, in the order of the requests', async store => {
      await write(store, [
        { key: 'a', state: { n: 1 }, due: NOW + 1n, pinned: true },
        { key: 'b', state: { n: 2 } },
      ])
      const [b, none, a] = await store.read(['b', 'none', 'a'].map(key => ({ key, recordIds: [] })))
      deepEqual([a?.state, a?.due, a?.pinned], [{ n: 1 }, NOW + 1n, true])
      deepEqual([b?.state, b?.due, b?.pinned], [{ n: 2 }, undefined, false])
      equal(none?.state, undefined)
    }),
    check('takes keys, record ids and outcomes of any text', async store => {
      const texts = [
        '',
        ' ',
        '\0',
        'a|b,c"d\'',
        '{x}:y',
        '\n',
        'é😀',
        'k'.repeat(3_000),
        `${'k'.repeat(3_000)}x`,
      ]
      await write(
        store,
        texts.map((key, n) => ({
          key,
          state: { n },
          due: NOW + BigInt(n),
          journal: texts.map(text => ({ recordId: text, outcome: `${n}${text}`, timer: false })),
        })),
      )
      const entries = await store.read(texts.map(key => ({ key, recordIds: texts })))
      for (const [n, entry] of entries.entries()) {
        deepEqual(entry.state, { n })
        deepEqual(
          texts.map(text => entry.journal.get(text)),
          texts.map(text => `${n}${text}`),
        )
      }
      deepEqual(
        (await store.due(NOW + 100n, 100)).map(({ key }) => key),
        texts,
      )
    }),
    check('writes only over the version that was read', async store => {
      await write(store, [{ key: 'a', state: { n: 1 } }])
      const first = await one(store, 'a')
      const again = await store.write([change({ key: 'a', expected: first.version, state: { n: 2 } })], NOW)
      equal(again.versions[0], (await one(store, 'a')).version)
      const lost = await store.write(
        [
          change({
            key: 'a',
            expected: first.version,
            state: { n: 9 },
            due: NOW,
            journal: [entry('r', 'lost')],
          }),
          change({ key: 'b', state: { n: 1 } }),
          change({ key: 'c', expected: first.version, state: { n: 9 } }),
        ],
        NOW,
      )
      deepEqual(lost.applied, [false, true, false])
      deepEqual(
        [lost.versions[0], lost.versions[1] !== undefined, lost.versions[2]],
        [undefined, true, undefined],
      )
      const second = await one(store, 'a', ['r'])
      deepEqual([second.state, second.due, second.journal.size], [{ n: 2 }, undefined, 0])
      notEqual(second.version, first.version)
      equal((await one(store, 'c')).state, undefined)
      deepEqual((await store.write([change({ key: 'a', state: { n: 9 } })], NOW)).applied, [false])
    }),
    check('lets one of many concurrent writers win each time', async store => {
      const add = async (): Promise<void> => {
        for (;;) {
          const { state, version } = await one(store, 'counter')
          const { applied } = await store.write(
            [change({ key: 'counter', expected: version, state: { n: (state?.n ?? 0) + 1 } })],
            NOW,
          )
          if (applied[0]) return
        }
      }
      await Promise.all(Array.from({ length: 8 }, add))
      deepEqual((await one(store, 'counter')).state, { n: 8 })
    }),
    check('removes a key, and does not mistake the next one for it', async store => {
      await write(store, [{ key: 'a', state: { n: 1 }, due: NOW }])
      const { version } = await one(store, 'a')
      await write(store, [{ key: 'a', expected: version, state: undefined }])
      deepEqual({ ...(await one(store, 'a')), journal: [] }, NOTHING)
      deepEqual(await store.due(NOW, 9), [])
      await write(store, [{ key: 'a', state: { n: 1 } }])
      notEqual((await one(store, 'a')).version, version)
    }),
    check('lists due keys, earliest first, to the nanosecond, until a write changes them', async store => {
      await write(store, [
        { key: 'b', state: { n: 0 }, due: NOW + 1n },
        { key: 'c', state: { n: 0 }, due: NOW + 2n },
        { key: 'a', state: { n: 0 }, due: NOW },
        { key: 'z', state: { n: 0 } },
        { key: 'old', state: { n: 0 }, due: 5n },
      ])
      const due = async (until: bigint, limit = 9) => (await store.due(until, limit)).map(({ key }) => key)
      deepEqual(await due(NOW + 1n), ['old', 'a', 'b'])
      deepEqual(await due(NOW + 1n), ['old', 'a', 'b'])
      deepEqual(await due(NOW + 1n, 2), ['old', 'a'])
      deepEqual(await due(4n), [])
      deepEqual((await store.due(NOW, 9))[1], { key: 'a', due: NOW })
      const { version } = await one(store, 'a')
      await write(store, [{ key: 'a', expected: version, state: { n: 1 }, due: NOW + 9n }])
      deepEqual(await due(NOW + 8n), ['old', 'b', 'c'])
      deepEqual(await due(NOW + 9n), ['old', 'b', 'c', 'a'])
    }),
    check('lists very many due keys in order', async store => {
      const keys = Array.from({ length: 2_000 }, (_, n) => n)
      await write(
        store,
        keys.map(n => ({ key: `k${n}`, state: { n }, due: NOW + BigInt((n * 7919) % 2_000) })),
      )
      const due = await store.due(NOW + 1_999n, 700)
      deepEqual(
        due.map(item => item.due - NOW),
        keys.slice(0, 700).map(BigInt),
      )
    }),
    ...JOURNAL_CHECKS.map(([what, run]) => check(what, run)),
    check(
      'evicts the least recently written keys beyond maxKeys, never pinned ones',
      async store => {
        await write(store, [{ key: 'alert', state: { n: 0 }, pinned: true, due: NOW }])
        const rounds = eviction === 'exact' ? 40 : 200
        let evicted = 0
        for (let round = 0; round < rounds; round++) {
          const keys = Array.from({ length: 25 }, (_, n) => `k${round * 25 + n}`)
          evicted += await write(
            store,
            keys.map(key => ({ key, state: { n: round }, due: NOW + 1n })),
          )
        }
        const keys = ['alert', ...Array.from({ length: rounds * 25 }, (_, n) => `k${n}`)]
        const entries = await store.read(keys.map(key => ({ key, recordIds: [] })))
        const left = keys.filter((_, at) => entries[at]?.state !== undefined)
        equal(left[0], 'alert')
        equal(evicted, keys.length - left.length)
        equal((await store.due(NOW + 1n, 10_000)).length, left.length)
        if (eviction === 'exact') deepEqual(left.slice(1), keys.slice(-99))
        else ok(left.length < 1_000, `${left.length} of at most 100 keys are left`)
        ok(left.includes(keys.at(-1) as string))
      },
      100,
    ),
    check(
      'counts a write as use',
      async store => {
        if (eviction !== 'exact') return
        await write(store, [{ key: 'a', state: { n: 0 } }])
        await write(store, [{ key: 'b', state: { n: 0 } }])
        const { version } = await one(store, 'a')
        await write(store, [{ key: 'a', expected: version, state: { n: 1 } }])
        await write(store, [{ key: 'c', state: { n: 0 } }])
        deepEqual([(await one(store, 'a')).state, (await one(store, 'b')).state], [{ n: 1 }, undefined])
      },
      2,
    ),
  ]
}
