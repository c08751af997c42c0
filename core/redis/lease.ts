import type { LeaseStore } from '../component/storage.js'
import { type RedisCommands, redisScript } from './commands.js'

/** The key that holds the token of the holder: for scripts that check it. */
export const LEASE_KEY_SUFFIX = ':lease'

// A counter that nobody used for 30 days goes; a holder that slept longer has no lease in any case.
const TAKE = redisScript(`
local token = redis.call('GET', KEYS[1])
if not token then
  token = redis.call('INCR', KEYS[3])
  redis.call('PEXPIRE', KEYS[3], 2592000000)
  redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  return { 1, tonumber(token) }
end
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  redis.call('PEXPIRE', KEYS[3], 2592000000)
  return { 1, tonumber(token) }
end
return { 0, redis.call('PTTL', KEYS[1]) }`)

const FREE = redisScript(`
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) end
return 1`)

/** A lease in Redis. `name` holds the hash tag; time runs by the clock of Redis alone. */
export function redisLease(redis: () => RedisCommands, name: string, ttlMs: number): LeaseStore {
  const keys = [`${name}${LEASE_KEY_SUFFIX}`, `${name}:holder`, `${name}:token`]
  return {
    ttlMs,
    async take(holder) {
      const [held, number] = (await redis().run(TAKE, keys, [holder, String(ttlMs)])) as [number, number]
      return held === 1 ? { held: true, token: number } : { held: false, freeInMs: Math.max(0, number) }
    },
    async free(holder) {
      await redis().run(FREE, keys.slice(0, 2), [holder])
    },
  }
}
