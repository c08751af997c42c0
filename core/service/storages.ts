import type { KeyValueStore, StateOptions, StateStore, StorageProvider } from '../component/index.js'
import { memoryKeyValue } from '../state/memory-key-value.js'
import { memoryState } from '../state/memory-state.js'

/**
 * Storage in memory, owned by the service: what a component keeps here survives a reload, and is lost with the
 * process.
 */
export class MemoryStorage implements StorageProvider {
  readonly description = 'in memory, lost when the process ends'
  readonly shared = false
  readonly #keyValues = new Map<string, KeyValueStore>()
  readonly #states = new Map<string, StateStore<never>>()

  keyValue(namespace: string): KeyValueStore {
    let store = this.#keyValues.get(namespace)
    if (!store) {
      store = memoryKeyValue()
      this.#keyValues.set(namespace, store)
    }
    return store
  }

  state<S>(namespace: string, options: StateOptions<S>): StateStore<S> {
    let store = this.#states.get(namespace) as StateStore<S> | undefined
    if (!store) {
      store = memoryState<S>(options)
      this.#states.set(namespace, store as StateStore<never>)
    }
    return store
  }

  /** Forgets what components that are gone kept: after a reload. */
  retain(namespaces: ReadonlySet<string>): void {
    for (const stores of [this.#keyValues, this.#states]) {
      for (const name of stores.keys()) if (!namespaces.has(name)) stores.delete(name)
    }
  }
}
