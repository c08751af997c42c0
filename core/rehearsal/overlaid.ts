import type { KeyValueStore, StateOptions, StateStore, StorageProvider } from '../component/index.js'
import { memoryState } from '../state/memory-state.js'

/** What a storage that is in use holds, to be read; what is written lies above it in memory. */
export function overlaid(base: StorageProvider): StorageProvider {
  return {
    description: `a copy for show of what is ${base.description}`,
    // No lease, and nobody else to look for: whoever runs goes on undisturbed.
    shared: false,
    keyValue: namespace => overlaidKeyValue(base.keyValue(namespace)),
    state: <S>(namespace: string, options: StateOptions<S>) =>
      overlaidState(base.state(namespace, options), options),
  }
}

function overlaidKeyValue(base: KeyValueStore): KeyValueStore {
  const written = new Map<string, Uint8Array | undefined>()
  return {
    get: async key => (written.has(key) ? written.get(key) : base.get(key)),
    async write(changes) {
      for (const { key, value } of changes) written.set(key, value && Uint8Array.from(value))
    },
    async range(from, to, limit) {
      // Of what is written over or away there is as much more to be read.
      const found = new Map(await base.range(from, to, limit + written.size))
      for (const [key, value] of written) {
        const inside = bytewise(key, from) >= 0 && bytewise(key, to) < 0
        if (inside && value !== undefined) found.set(key, value)
        else found.delete(key)
      }
      return [...found].sort(([a], [b]) => bytewise(a, b)).slice(0, limit)
    },
  }
}

/** A key comes up when it is read; timers of keys that nothing touches do not run, and no journal is taken over. */
function overlaidState<S>(base: StateStore<S>, options: StateOptions<S>): StateStore<S> {
  const memory = memoryState<S>(options)
  const known = new Set<string>()
  return {
    async read(requests) {
      const keys = [...new Set(requests.map(({ key }) => key))].filter(key => !known.has(key))
      const entries = await base.read(keys.map(key => ({ key, recordIds: [] })))
      const changes = entries.flatMap(({ state, due, pinned }, at) =>
        state === undefined
          ? []
          : [{ key: keys[at] as string, expected: undefined, state, due, pinned, journal: [] }],
      )
      for (const key of keys) known.add(key)
      if (changes.length > 0) await memory.write(changes, 0n)
      return memory.read(requests)
    },
    write: (changes, now) => memory.write(changes, now),
    due: (until, limit) => memory.due(until, limit),
    claim: async () => [],
    release: entries => memory.release(entries),
  }
}

function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
