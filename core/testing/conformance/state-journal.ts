import { deepEqual, equal, ok } from 'node:assert/strict'
import type { StateStore } from '../../component/index.js'
import { seededRandom } from '../random.js'
import { entry, MINUTE, NOW, one, type Probe, write } from './state-probe.js'

/** What the journal of a state store does, each with a name and a store of its own. */
export const JOURNAL_CHECKS: readonly (readonly [string, (store: StateStore<Probe>) => Promise<void>])[] = [
  [
    'journals outcomes with the state, and forgets them when released',
    async store => {
      await write(store, [{ key: 'a', state: { n: 1 }, journal: [entry('r1', 'x'), entry('r2', 'y')] }])
      await write(store, [{ key: 'b', state: { n: 1 }, journal: [entry('r1', 'z')] }])
      deepEqual([...(await one(store, 'a', ['r2', 'none', 'r1'])).journal].sort(), [
        ['r1', 'x'],
        ['r2', 'y'],
      ])
      await store.release([
        { key: 'a', recordId: 'r1' },
        { key: 'a', recordId: 'none' },
        { key: 'none', recordId: 'r1' },
      ])
      deepEqual([...(await one(store, 'a', ['r1', 'r2'])).journal], [['r2', 'y']])
      deepEqual([...(await one(store, 'b', ['r1'])).journal], [['r1', 'z']])
    },
  ],
  [
    'answers from its journal as a plain map, however entries are written together and released apart',
    async store => {
      const random = seededRandom(5)
      const plain = new Map<string, Map<string, string>>(['a', 'b ', 'é😀'].map(key => [key, new Map()]))
      const asked = ['none']
      for (let round = 0; round < 12; round++) {
        const now = await store.read([...plain.keys()].map(key => ({ key, recordIds: [] })))
        const changes = [...plain.keys()].flatMap((key, at) => {
          if (random() < 0.2) return []
          const journal = Array.from({ length: Math.floor(random() * 40) }, (_, n) => {
            const own = `${n}`
            const shared = ['', ' the same é', ' another'][Math.floor(random() * 3)] as string
            const whole = { recordId: `${round}|${n} é`, outcome: own + shared, timer: false }
            return random() < 0.2 ? whole : { ...whole, parts: { own, shared } }
          })
          for (const { recordId, outcome } of journal) plain.get(key)?.set(recordId, outcome)
          asked.push(...journal.map(({ recordId }) => recordId))
          return [{ key, expected: now[at]?.version, state: { n: round }, journal }]
        })
        await write(store, changes)
        const released = [...plain].flatMap(([key, entries]) =>
          [...entries.keys()].flatMap(recordId => (random() < 0.4 ? [{ key, recordId }] : [])),
        )
        await store.release(released)
        for (const { key, recordId } of released) plain.get(key)?.delete(recordId)
        const left = await store.read([...plain.keys()].map(key => ({ key, recordIds: asked })))
        deepEqual(
          left.map(({ journal }) => [...journal].sort()),
          [...plain.values()].map(entries => [...entries].sort()),
        )
      }
    },
  ],
  [
    'keeps the journal of a key whose state is removed',
    async store => {
      await write(store, [{ key: 'a', state: { n: 1 } }])
      const { version } = await one(store, 'a')
      await write(store, [
        { key: 'a', expected: version, state: undefined, journal: [entry('r', 'recovery')] },
      ])
      await write(store, [{ key: 'b', state: undefined, journal: [entry('r', 'nothing')] }])
      const [a, b] = await store.read(['a', 'b'].map(key => ({ key, recordIds: ['r'] })))
      deepEqual([a?.state, a?.version, a?.journal.get('r')], [undefined, undefined, 'recovery'])
      equal(b?.journal.get('r'), 'nothing')
    },
  ],
  [
    'hands unreleased timer outcomes to one claimer',
    async store => {
      const journal = [entry('r', 'record'), { recordId: 't1', outcome: 'expired', timer: true }]
      await write(store, [{ key: 'a', state: undefined, journal }])
      await write(
        store,
        [{ key: 'b', state: { n: 1 }, journal: [{ recordId: 't2', outcome: 'x', timer: true }] }],
        NOW + MINUTE,
      )
      deepEqual(await store.claim(NOW - 1n, NOW + MINUTE, 9), [])
      const claims = await Promise.all([store.claim(NOW, NOW + MINUTE, 9), store.claim(NOW, NOW + MINUTE, 9)])
      deepEqual(claims.flat(), [{ key: 'a', recordId: 't1', outcome: 'expired' }])
      await store.release([{ key: 'a', recordId: 't1' }])
      const rest = await store.claim(NOW + MINUTE, NOW + 2n * MINUTE, 9)
      deepEqual(
        rest.map(({ key }) => key),
        ['b'],
      )
    },
  ],
  [
    'limits how many timer outcomes it hands out, and comes to all',
    async store => {
      await write(
        store,
        Array.from({ length: 25 }, (_, n) => ({
          key: `k${n}`,
          state: { n },
          journal: [{ recordId: 't', outcome: `${n}`, timer: true }],
        })),
      )
      const seen = new Set<string>()
      for (let claims = 0; claims < 25 && seen.size < 25; claims++) {
        const claimed = await store.claim(NOW, NOW + MINUTE, 10)
        ok(claimed.length <= 10)
        for (const { key } of claimed) seen.add(key)
      }
      equal(seen.size, 25)
    },
  ],
  [
    'forgets journal entries that nobody released for a day',
    async store => {
      await write(store, [{ key: 'a', state: { n: 1 }, journal: [entry('r', 'x')] }])
      const { version } = await one(store, 'a')
      const later = NOW + 25n * 60n * MINUTE
      for (let tries = 0, expected = version; tries < 50; tries++) {
        await write(store, [{ key: 'a', expected, state: { n: tries }, journal: [entry('new', 'y')] }], later)
        const now = await one(store, 'a', ['r', 'new'])
        equal(now.journal.get('new'), 'y')
        if (now.journal.size === 1) return
        expected = now.version
      }
      throw new Error('the old journal entry stayed through 50 writes')
    },
  ],
]
