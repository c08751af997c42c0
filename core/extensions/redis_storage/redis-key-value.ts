import { type Fence, type KeyValueStore, RetryableError } from 'tocsin/component'
import { LEASE_KEY_SUFFIX } from '#state'
import type { Connection } from './connection.js'
import { KEY_VALUE_RANGE, KEY_VALUE_WRITE } from './scripts.js'

/** A hash with the values and a sorted set with the keys, in one slot, so that a write is one script. */
export function redisKeyValue(connection: () => Connection, name: string, fence?: Fence): KeyValueStore {
  const keys = [`${name}:values`, `${name}:keys`]
  const lease = `${name}${LEASE_KEY_SUFFIX}`
  return {
    async get(key) {
      const value = await connection().callBytes('HGET', [keys[0] as string, key])
      return (value ?? undefined) as Buffer | undefined
    },
    async write(changes) {
      const args = changes.flatMap(({ key, value }) => [
        key,
        value ? '1' : '0',
        value ? Buffer.from(value) : '',
      ])
      if (args.length === 0) return
      const token = fence?.()
      if (fence && token === undefined) throw leaseLost()
      const written = await connection().run(
        KEY_VALUE_WRITE,
        [...keys, lease],
        [token === undefined ? '' : String(token), ...args],
      )
      if (written === 0) throw leaseLost()
    },
    async range(from, to, limit) {
      const found = (await connection().runBytes(KEY_VALUE_RANGE, keys, [
        from,
        to,
        String(limit),
      ])) as Buffer[]
      const entries: (readonly [string, Uint8Array])[] = []
      for (let at = 0; at < found.length; at += 2) {
        entries.push([(found[at] as Buffer).toString(), found[at + 1] as Buffer])
      }
      return entries
    },
  }
}

function leaseLost(): RetryableError {
  return new RetryableError('lease_lost', 'Another collector may have the lease of what would be written.')
}
