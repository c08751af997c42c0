/** An aborted signal that tells whether anybody looked at it, in any of the ways there are. */
export function watchedSignal(): { readonly signal: AbortSignal; readonly looked: () => boolean } {
  const signal = AbortSignal.abort(new Error('told to'))
  let looked = false
  const watched = <T>(value: () => T) => ({
    configurable: true,
    get: (): T => {
      looked = true
      return value()
    },
  })
  Object.defineProperties(signal, {
    aborted: watched(() => true),
    addEventListener: watched(() => AbortSignal.prototype.addEventListener),
    throwIfAborted: watched(() => AbortSignal.prototype.throwIfAborted),
  })
  return { signal, looked: () => looked }
}
