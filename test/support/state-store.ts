import type { StateStore } from '../../core/component/storage.js'

/** The methods of a store as properties, to be spread and replaced one by one. */
export function bound<S>(store: StateStore<S>): StateStore<S> {
  return {
    read: requests => store.read(requests),
    write: (changes, now) => store.write(changes, now),
    due: (until, limit) => store.due(until, limit),
    claim: (before, now, limit) => store.claim(before, now, limit),
    release: entries => store.release(entries),
  }
}
