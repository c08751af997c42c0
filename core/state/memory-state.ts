import type {
  ClaimedTimer,
  JournalRef,
  KeyValueStore,
  StateChange,
  StateOptions,
  StateStore,
  StateWritten,
  StorageProvider,
} from '../component/storage.js'
import { memoryKeyValue } from './memory-key-value.js'
import { StateIndex } from './state-index.js'

/** State in memory, which goes with the process. Values are kept as they are: they must not be changed later. */
export function memoryState<S>(options: Pick<StateOptions<S>, 'maxKeys'>): StateStore<S> {
  return new MemoryState(new StateIndex<S>(options.maxKeys))
}

/** The storage of components that name none. Owned by the service, so that it survives a reload. */
export interface MemoryStorage extends StorageProvider {
  /** Forgets what components that are gone kept: after a reload. */
  retain(namespaces: ReadonlySet<string>): void
}

export function memoryStorage(): MemoryStorage {
  const keyValues = new Map<string, KeyValueStore>()
  const indexes = new Map<string, StateIndex<unknown>>()
  return {
    description: 'in memory: survives a reload of the configuration, is lost with the process',
    shared: false,
    keyValue(namespace) {
      const store = keyValues.get(namespace) ?? memoryKeyValue()
      keyValues.set(namespace, store)
      return store
    },
    state<S>(namespace: string, { maxKeys }: StateOptions<S>) {
      const index = (indexes.get(namespace) as StateIndex<S> | undefined) ?? new StateIndex<S>(maxKeys)
      index.maxKeys = maxKeys
      indexes.set(namespace, index as StateIndex<unknown>)
      return new MemoryState(index)
    },
    retain(namespaces) {
      for (const stores of [keyValues, indexes]) {
        for (const name of stores.keys()) if (!namespaces.has(name)) stores.delete(name)
      }
    },
  }
}

class MemoryState<S> implements StateStore<S> {
  readonly #index: StateIndex<S>

  constructor(index: StateIndex<S>) {
    this.#index = index
  }

  async read(requests: Parameters<StateStore<S>['read']>[0]) {
    return requests.map(request => this.#index.read(request))
  }

  async write(changes: readonly StateChange<S>[], now: bigint): Promise<StateWritten> {
    const versions: (string | undefined)[] = []
    const applied = changes.map(change => {
      const matches = this.#index.matches(change)
      const version = matches ? this.#index.nextVersion() : 0
      if (matches) this.#index.apply(change, version, now)
      versions.push(matches && change.state !== undefined ? String(version) : undefined)
      return matches
    })
    this.#index.purge(now)
    return { applied, versions, evicted: this.#index.evict().length }
  }

  async due(until: bigint, limit: number) {
    return this.#index.due(until, limit)
  }

  async claim(before: bigint, now: bigint, limit: number): Promise<readonly ClaimedTimer[]> {
    const claimed = this.#index.unreleased(before, limit)
    for (const { key, recordId, outcome } of claimed)
      this.#index.note(key, [{ recordId, outcome, timer: true }], now)
    return claimed
  }

  async release(entries: readonly JournalRef[]): Promise<void> {
    for (const entry of entries) this.#index.forget(entry)
  }
}
