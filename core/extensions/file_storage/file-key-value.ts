import { type KeyValueStore, PermanentError } from 'tocsin/component'
import type { Database } from './database.js'

const VALUE_ROW = 0x6b
/** What LMDB leaves of its 1978 bytes, rounded. */
const MAX_KEY_BYTES = 1_900

/** Keys of at most 1,900 bytes; a longer one is refused with `key_too_long`. */
export function fileKeyValue(database: () => Database, namespace: string): KeyValueStore {
  return {
    async get(key) {
      const db = database()
      return db.get(db.rowKey(VALUE_ROW, namespace, keyBytes(key)))
    },
    async write(changes) {
      const db = database()
      await db.write(
        namespace,
        changes.map(({ key, value }) => ({
          key: db.rowKey(VALUE_ROW, namespace, keyBytes(key)),
          value,
        })),
      )
    },
    async range(from, to, limit) {
      if (limit <= 0) return []
      const db = database()
      const prefix = db.rowKey(VALUE_ROW, namespace, Buffer.alloc(0)).length
      const rows = db.range(
        db.rowKey(VALUE_ROW, namespace, borderBytes(from)),
        db.rowKey(VALUE_ROW, namespace, borderBytes(to)),
        limit,
      )
      return Array.from(rows, ({ key, value }) => [key.toString('utf8', prefix), value] as const)
    },
  }
}

function keyBytes(key: string): Buffer {
  const bytes = Buffer.from(key)
  if (bytes.length <= MAX_KEY_BYTES) return bytes
  throw new PermanentError(
    'key_too_long',
    `A key of ${bytes.length} bytes is too long for file_storage, which takes ${MAX_KEY_BYTES}: "${key.slice(0, 80)}..."`,
  )
}

/** No key is longer, so what follows cannot change on which side of the border a key is. */
function borderBytes(key: string): Buffer {
  return Buffer.from(key).subarray(0, MAX_KEY_BYTES + 1)
}
