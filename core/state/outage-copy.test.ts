import { describe, expect, it } from 'vitest'
import { bound } from '../../test/support/state-store.js'
import { RetryableError, type StateStore } from '../component/index.js'
import { seededRandom, stateStoreConformance, VirtualClock } from '../testing/index.js'
import { memoryState } from './memory-state.js'
import { withOutageCopy } from './outage-copy.js'
import type { JournaledOutcome, RemoteState } from './reunion.js'

interface Sum {
  readonly seen: readonly number[]
}

const NOW = new VirtualClock().now()

/** A store whose versions end with the mark of the write, as those of Redis do, and whose journal can be read. */
function marking<S>(store: StateStore<S>): RemoteState<S> {
  const marks = new Map<string, string>()
  const journal = new Map<string, JournaledOutcome>()
  let newest = ''.padStart(16, '0')
  const marked = (version: string | undefined): string | undefined =>
    version && version.padStart(16, '0') + (marks.get(version) ?? ''.padStart(20, '0'))
  return {
    ...bound(store),
    read: async requests =>
      (await store.read(requests)).map(entry => ({ ...entry, version: marked(entry.version) })),
    write: async (changes, now, { mark = '' } = {}) => {
      const plain = changes.map(change => ({
        ...change,
        expected: change.expected && String(Number(change.expected.slice(0, 16))),
      }))
      const written = await store.write(plain, now)
      for (const [at, change] of changes.entries()) {
        if (!written.applied[at]) continue
        for (const { recordId, outcome } of change.journal)
          journal.set(`${change.key} ${recordId}`, { key: change.key, recordId, outcome })
      }
      for (const version of written.versions) if (version) newest = version.padStart(16, '0')
      for (const version of written.versions) if (version && mark !== '') marks.set(version, mark)
      return { ...written, versions: written.versions.map(marked) }
    },
    release: async entries => {
      for (const { key, recordId } of entries) journal.delete(`${key} ${recordId}`)
      await store.release(entries)
    },
    journal: async limit => ({ entries: [...journal.values()].slice(0, limit), upTo: newest }),
  }
}

/** A store that can be cut off; `swallow` applies a write and loses the answer. */
function fragile<S>(store: RemoteState<S>) {
  const fault: { mode: 'none' | 'away' | 'swallow' } = { mode: 'none' }
  const calls: string[] = []
  const keysAsked: string[][] = []
  const through = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    calls.push(name)
    if (fault.mode === 'away') throw new RetryableError('away', 'The store is away.')
    const result = await run()
    if (fault.mode === 'swallow' && name === 'write') throw new RetryableError('slow', 'The answer is lost.')
    return result
  }
  const read = (limit: number) => (store.journal as NonNullable<RemoteState<S>['journal']>)(limit)
  const wrapped: RemoteState<S> = {
    read: requests => {
      keysAsked.push(requests.map(({ key }) => key))
      return through('read', () => store.read(requests))
    },
    write: (changes, now, by) => through('write', () => store.write(changes, now, by)),
    due: (until, limit) => through('due', () => store.due(until, limit)),
    claim: (before, now, limit) => through('claim', () => store.claim(before, now, limit)),
    release: entries => through('release', () => store.release(entries)),
    ...(store.journal && { journal: limit => through('journal', () => read(limit)) }),
  }
  return { store: wrapped, fault, calls, keysAsked }
}

function setUp({ merges = true, maxKeys = 100 } = {}) {
  const clock = new VirtualClock()
  const server = marking(memoryState<Sum>({ maxKeys: 1_000 }))
  const collector = () => {
    const { store, fault, calls, keysAsked } = fragile(server)
    const troubles: string[] = []
    const copy = withOutageCopy(store, {
      clock,
      random: seededRandom(1),
      maxKeys,
      merge: merges
        ? (remote, local) => ({ seen: [...new Set([...remote.seen, ...local.seen])].sort() })
        : undefined,
      onTrouble: error => troubles.push(error?.message ?? 'works'),
    })
    let records = 0
    const add = async (key: string, n: number, due?: bigint): Promise<boolean> => {
      const [entry] = await copy.read([{ key, recordIds: [] }])
      const state = { seen: [...(entry?.state?.seen ?? []), n] }
      const journal = [{ recordId: `r${records++}`, outcome: `${n}`, timer: false }]
      const change = { key, expected: entry?.version, state, due, pinned: false, journal }
      return (await copy.write([change], NOW)).applied[0] === true
    }
    const drop = async (key: string): Promise<void> => {
      const [entry] = await copy.read([{ key, recordIds: [] }])
      const change = {
        key,
        expected: entry?.version,
        state: undefined,
        due: undefined,
        pinned: false,
        journal: [],
      }
      await copy.write([change], NOW)
    }
    return {
      copy,
      fault,
      calls,
      keysAsked,
      troubles,
      add,
      drop,
      seen: (key: string) => seenIn(copy, key),
    }
  }
  return { clock, server, collector, onServer: (key: string) => seenIn(server, key) }
}

async function seenIn(store: StateStore<Sum>, key: string): Promise<readonly number[] | undefined> {
  return (await store.read([{ key, recordIds: [] }]))[0]?.state?.seen
}

describe('a copied store', () => {
  const options = { clock: new VirtualClock(), random: seededRandom(1), onTrouble: () => undefined }
  const checks = [
    ...stateStoreConformance('with its store', ({ maxKeys }) =>
      withOutageCopy(memoryState({ maxKeys }), { ...options, maxKeys }),
    ),
    ...stateStoreConformance('without its store', ({ maxKeys }) => {
      const { store, fault } = fragile(memoryState<{ n: number }>({ maxKeys }))
      fault.mode = 'away'
      return withOutageCopy(store, { ...options, maxKeys })
      // Timers that were left behind are in the store; records come again when it is back.
    }).filter(({ name }) => !/timer outcomes|for a day/.test(name)),
  ]
  for (const check of checks) it(check.name, check.run)

  it('goes on with what it read and wrote, asks nothing of the store, and writes it when it is back', async () => {
    const { clock, collector, onServer, server } = setUp()
    const { add, fault, calls, seen, troubles, copy } = collector()
    await add('a', 1, 9n)
    fault.mode = 'away'
    expect([await add('a', 2, 5n), await add('b', 1)]).toEqual([true, true])
    calls.length = 0
    expect([await add('a', 3, 7n), await seen('a'), await seen('b')]).toEqual([true, [1, 2, 3], [1]])
    expect(await copy.due(8n, 9)).toEqual([{ key: 'a', due: 7n }])
    expect(calls).toEqual([])
    expect(troubles).toEqual(['The store is away.'])
    fault.mode = 'none'
    await clock.advance(1_000)
    expect(troubles.at(-1)).toBe('works')
    expect([await onServer('a'), await onServer('b')]).toEqual([[1, 2, 3], [1]])
    expect(await server.due(8n, 9)).toEqual([{ key: 'a', due: 7n }])
    const [entry] = await server.read([{ key: 'a', recordIds: ['r0', 'r1', 'r2', 'r3'] }])
    expect([...(entry?.journal.values() ?? [])]).toEqual(['1', '2', '3'])
    expect(await add('a', 4)).toBe(true)
    expect(await onServer('a')).toEqual([1, 2, 3, 4])
  })

  it('asks less and less often, and stops asking when it is closed', async () => {
    const { clock, collector } = setUp()
    const { add, fault, calls, copy } = collector()
    fault.mode = 'away'
    await add('a', 1)
    calls.length = 0
    await clock.advance(60_000)
    expect(calls.length).toBeGreaterThan(10)
    expect(calls.length).toBeLessThan(25)
    copy.close()
    await clock.advance(60_000)
    expect(clock.pending).toBe(0)
  })

  it('unites what several changed; without merge the store wins', async () => {
    for (const merges of [true, false]) {
      const { clock, collector, onServer } = setUp({ merges })
      const [one, two] = [collector(), collector()]
      await one.add('a', 1, 50n)
      await two.add('a', 2, 40n)
      one.fault.mode = 'away'
      await one.add('a', 3, 30n)
      await two.add('a', 4, 60n)
      one.fault.mode = 'none'
      await clock.advance(1_000)
      expect(await onServer('a')).toEqual(merges ? [1, 2, 3, 4] : [1, 2, 4])
      expect(await one.copy.due(99n, 9)).toEqual([{ key: 'a', due: merges ? 30n : 60n }])
    }
  })

  it('takes a removal to the store, unless another one changed the key', async () => {
    const { clock, collector, onServer } = setUp()
    const [one, two] = [collector(), collector()]
    for (const key of ['a', 'b']) await one.add(key, 1)
    one.fault.mode = 'away'
    for (const key of ['a', 'b']) await one.drop(key)
    await two.add('b', 2)
    one.fault.mode = 'none'
    await clock.advance(1_000)
    expect([await onServer('a'), await onServer('b')]).toEqual([undefined, [1, 2]])
  })

  it('knows its own write whose answer was lost', async () => {
    const { clock, collector, onServer } = setUp({ merges: false })
    const { add, drop, fault } = collector()
    await add('b', 0)
    fault.mode = 'swallow'
    await add('a', 1)
    fault.mode = 'away'
    await add('a', 2)
    fault.mode = 'none'
    await clock.advance(1_000)
    expect(await onServer('a')).toEqual([1, 2])
    fault.mode = 'swallow'
    await add('a', 3)
    await drop('a')
    fault.mode = 'none'
    await clock.advance(1_000)
    expect(await onServer('a')).toBeUndefined()
  })

  it('knows the write of its reunion whose answer was lost, and what another collector made of it', async () => {
    for (const goesOn of [false, true]) {
      const { clock, collector, onServer } = setUp()
      const [one, two] = [collector(), collector()]
      await one.add('a', 1)
      one.fault.mode = 'away'
      // Decided without the store: no journal entry of a failed write tells of it.
      await one.drop('b')
      await one.add('a', 2)
      await one.drop('a')
      await one.copy.release([{ key: 'a', recordId: 'r1' }])
      await one.add('a', 3)
      one.fault.mode = 'swallow'
      await clock.advance(1_000)
      expect(await onServer('a')).toEqual([3])
      if (goesOn) await two.drop('a')
      one.fault.mode = 'none'
      await clock.advance(10_000)
      expect(await onServer('a')).toEqual(goesOn ? undefined : [3])
      expect(await one.seen('a')).toEqual(goesOn ? undefined : [3])
    }
  })

  it('does not take what changed after a reunion whose answer was lost for another collector’s', async () => {
    const { clock, collector, onServer } = setUp()
    const { add, drop, fault } = collector()
    await add('a', 1)
    fault.mode = 'away'
    await add('a', 2)
    fault.mode = 'swallow'
    await clock.advance(1_000)
    expect(await onServer('a')).toEqual([1, 2])
    await drop('a')
    await add('b', 1)
    fault.mode = 'none'
    await clock.advance(10_000)
    expect([await onServer('a'), await onServer('b')]).toEqual([undefined, [1]])
  })

  it('does not wake keys here that another collector changed or removed', async () => {
    const { collector } = setUp()
    const [one, two] = [collector(), collector()]
    for (const key of ['a', 'b', 'c']) await one.add(key, 1, 5n)
    await two.add('a', 2, 50n)
    await two.drop('b')
    expect(await one.copy.due(9n, 9)).toEqual([{ key: 'c', due: 5n }])
    one.fault.mode = 'away'
    expect(await one.copy.due(9n, 9)).toEqual([{ key: 'c', due: 5n }])
  })

  it('keeps nothing of keys that came and went without the store', async () => {
    const { clock, collector } = setUp()
    const { add, drop, fault, keysAsked, copy } = collector()
    fault.mode = 'away'
    await add('first', 1)
    for (let n = 0; n < 50; n++) {
      await add(`k${n}`, n)
      await drop(`k${n}`)
      await copy.release([{ key: `k${n}`, recordId: `r${n + 1}` }])
    }
    fault.mode = 'none'
    await clock.advance(1_000)
    expect(keysAsked.at(-1)).toEqual(['first'])
  })

  it('releases what was written before, when the store is back', async () => {
    const { clock, collector, server } = setUp()
    const { add, fault, copy } = collector()
    await add('a', 1)
    fault.mode = 'away'
    await add('a', 2)
    await copy.release([
      { key: 'a', recordId: 'r0' },
      { key: 'a', recordId: 'r1' },
    ])
    fault.mode = 'none'
    await clock.advance(1_000)
    const [entry] = await server.read([{ key: 'a', recordIds: ['r0', 'r1'] }])
    expect([entry?.state?.seen, entry?.journal.size]).toEqual([[1, 2], 0])
  })

  it('answers a record that comes again while the store is away as the journal of the store would, until it is released', async () => {
    const { collector } = setUp()
    const { add, fault, copy } = collector()
    await add('a', 1)
    const other = collector()
    await other.copy.read([{ key: 'a', recordIds: ['r0'] }])
    fault.mode = 'away'
    other.fault.mode = 'away'
    for (const each of [copy, other.copy]) {
      const again = async () => (await each.read([{ key: 'a', recordIds: ['r0', 'x'] }]))[0]
      expect(await again()).toMatchObject({ state: { seen: [1] }, journal: new Map([['r0', '1']]) })
      await each.release([{ key: 'a', recordId: 'r0' }])
      expect((await again())?.journal.size).toBe(0)
    }
  })

  it('knows what one that was killed decided for records that come again while the store is away', async () => {
    const { collector } = setUp()
    const killed = collector()
    for (const [n, key] of ['a', 'b', 'a'].entries()) await killed.add(key, n)
    const { copy, fault } = collector()
    // The state has r0 and r2 in it; nobody has asked for these yet.
    await copy.read([{ key: 'a', recordIds: [] }])
    fault.mode = 'away'
    const again = async () => (await copy.read([{ key: 'a', recordIds: ['r0', 'r1', 'r2'] }]))[0]
    const known = new Map([
      ['r0', '0'],
      ['r2', '2'],
    ])
    expect(await again()).toMatchObject({ state: { seen: [0, 2] }, journal: known })
    await copy.release([{ key: 'a', recordId: 'r0' }])
    expect((await again())?.journal).toEqual(new Map([['r2', '2']]))
  })

  it('learns what another one decides while this one stands by, once in a while', async () => {
    const { clock, collector } = setUp()
    const [leader, standby] = [collector(), collector()]
    const look = () => standby.copy.read([{ key: 'a', recordIds: [] }])
    const learned = () => standby.calls.filter(name => name === 'journal').length
    await look()
    for (let n = 0; n < 5; n++) {
      await leader.add('a', n)
      await look()
    }
    expect(learned()).toBe(1)
    await clock.advance(1_000)
    await look()
    await look()
    await clock.advance(10_000)
    await standby.add('b', 1)
    await look()
    expect(learned()).toBe(2)
    standby.fault.mode = 'away'
    const [entry] = await standby.copy.read([{ key: 'a', recordIds: ['r0', 'r4'] }])
    expect([...(entry?.journal.values() ?? [])]).toEqual(['0', '4'])
  })

  it('knows it also of states that a reunion brought', async () => {
    const { clock, collector } = setUp()
    const killed = collector()
    await killed.add('a', 0)
    const { copy, fault } = collector()
    fault.mode = 'away'
    const journal = [{ recordId: 'own', outcome: 'x', timer: false }]
    const change = {
      key: 'a',
      expected: undefined,
      state: { seen: [9] },
      due: undefined,
      pinned: false,
      journal,
    }
    await copy.write([change], NOW)
    fault.mode = 'none'
    await clock.advance(1_000)
    fault.mode = 'away'
    const [entry] = await copy.read([{ key: 'a', recordIds: ['r0', 'own'] }])
    expect(entry?.state).toEqual({ seen: [0, 9] })
    expect(entry?.journal).toEqual(
      new Map([
        ['own', 'x'],
        ['r0', '0'],
      ]),
    )
  })

  it('decides nothing without the store for records whose term is over', async () => {
    const { collector } = setUp()
    const { fault, copy, seen } = collector()
    fault.mode = 'away'
    const state = { seen: [1] }
    const change = { key: 'a', expected: undefined, state, due: undefined, pinned: false, journal: [] }
    const under = (held: boolean) => ({ terms: [{ lease: 'l', token: 1, held: () => held }] })
    await expect(copy.write([change], NOW, under(false))).rejects.toMatchObject({ code: 'lease_lost' })
    expect(await seen('a')).toBeUndefined()
    expect((await copy.write([change], NOW, under(true))).applied).toEqual([true])
  })

  it('is bounded: the least recently written keys are forgotten', async () => {
    const { collector } = setUp({ maxKeys: 3 })
    const { add, fault, seen } = collector()
    fault.mode = 'away'
    for (let n = 0; n < 10; n++) await add(`k${n}`, n)
    expect([await seen('k6'), await seen('k7')]).toEqual([undefined, [7]])
  })

  it('passes on errors that trying again does not help', async () => {
    const copy = withOutageCopy(
      { ...memoryState<Sum>({ maxKeys: 1 }), read: () => Promise.reject(new Error('a mistake')) },
      { ...options, maxKeys: 1 },
    )
    await expect(copy.read([])).rejects.toThrow('a mistake')
  })
})
