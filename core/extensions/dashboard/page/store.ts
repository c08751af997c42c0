import { useEffect, useReducer, useRef } from 'preact/hooks'

/** A value that views watch. */
export interface Store<S> {
  get(): S
  set(change: Partial<S>): void
  watch(watcher: () => void): () => void
}

export function createStore<S extends object>(initial: S): Store<S> {
  let state = initial
  const watchers = new Set<() => void>()
  return {
    get: () => state,
    set(change) {
      state = { ...state, ...change }
      for (const watcher of watchers) watcher()
    },
    watch(watcher) {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
  }
}

/** Draws again when what `select` takes is another value. */
export function useStore<S, T>(store: Store<S>, select: (state: S) => T): T {
  const [, draw] = useReducer<number, void>(n => n + 1, 0)
  const selected = select(store.get())
  const last = useRef<{ value: T; select: (state: S) => T }>({ value: selected, select })
  last.current = { value: selected, select }
  useEffect(
    () =>
      store.watch(() => {
        if (!Object.is(last.current.select(store.get()), last.current.value)) draw()
      }),
    [store],
  )
  return selected
}
