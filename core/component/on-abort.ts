const waiting = new WeakMap<AbortSignal, { readonly acts: Set<() => void>; readonly listener: () => void }>()

/**
 * Calls `act` when `signal` is aborted, at once when it is already. The answer takes that back. However many wait for
 * one signal, it has one listener: Node warns of a leak at the eleventh.
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) {
    act()
    return () => {}
  }
  const found = waiting.get(signal)
  const entry = found ?? listen(signal)
  // The same function may be given twice.
  const own = (): void => act()
  entry.acts.add(own)
  return () => {
    if (!entry.acts.delete(own) || entry.acts.size > 0) return
    // A composed signal with a listener lives as long as those it is made of.
    signal.removeEventListener('abort', entry.listener)
    waiting.delete(signal)
  }
}

function listen(signal: AbortSignal) {
  const acts = new Set<() => void>()
  const listener = (): void => {
    waiting.delete(signal)
    for (const act of acts) act()
  }
  const entry = { acts, listener }
  signal.addEventListener('abort', listener, { once: true })
  waiting.set(signal, entry)
  return entry
}
