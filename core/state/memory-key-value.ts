import type { KeyValueStore } from '../component/index.js'

/** A key-value store that lives as long as its owner. For data that may go with the process, and for tests. */
export function memoryKeyValue(): KeyValueStore {
  const entries = new Map<string, Uint8Array>()
  /** In order. */
  let keys: string[] = []
  return {
    get: async key => entries.get(key),
    async write(changes) {
      const added = new Set<string>()
      let removed = 0
      for (const { key, value } of changes) {
        if (value !== undefined) {
          if (!entries.has(key)) added.add(key)
          entries.set(key, Uint8Array.from(value))
        } else if (entries.delete(key) && !added.delete(key)) removed++
      }
      if (removed > 0) keys = keys.filter(key => entries.has(key) && !added.has(key))
      if (added.size > 0) keys = merged(keys, [...added].sort(compareKeys))
    },
    async range(from, to, limit) {
      const found: (readonly [string, Uint8Array])[] = []
      for (let at = placeOf(keys, from); at < keys.length && found.length < limit; at++) {
        const key = keys[at] as string
        if (compareKeys(key, to) >= 0) break
        found.push([key, entries.get(key) as Uint8Array])
      }
      return found
    },
  }
}

function merged(a: readonly string[], b: readonly string[]): string[] {
  const all: string[] = []
  let at = 0
  for (const key of b) {
    const place = placeOf(a, key)
    for (; at < place; at++) all.push(a[at] as string)
    all.push(key)
  }
  for (; at < a.length; at++) all.push(a[at] as string)
  return all
}

/** Of the first key that is not before this one. */
function placeOf(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareKeys(keys[middle] as string, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** From the surrogates on UTF-16, which `<` compares, has another order than UTF-8. */
const HIGH = /[\ud800-\uffff]/

/** Keys sort by their UTF-8 bytes in every store. */
function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  if (HIGH.test(a) || HIGH.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}
