import type { KeyValueStore } from '../component/index.js'

/** A key-value store that lives as long as its owner. For data that may go with the process, and for tests. */
export function memoryKeyValue(): KeyValueStore {
  const entries = new Map<string, Uint8Array>()
  return {
    get: async key => entries.get(key),
    async write(changes) {
      for (const { key, value } of changes) {
        if (value === undefined) entries.delete(key)
        else entries.set(key, Uint8Array.from(value))
      }
    },
    async range(from, to, limit) {
      return [...entries]
        .filter(([key]) => compareKeys(from, key) <= 0 && compareKeys(key, to) < 0)
        .sort(([a], [b]) => compareKeys(a, b))
        .slice(0, limit)
    },
  }
}

/** Keys sort by their UTF-8 bytes in every store; `<` on strings compares UTF-16 units. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
