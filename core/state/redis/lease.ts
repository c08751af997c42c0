import type { LeaseStore } from '../../component/storage.js'
import { type RedisCommands, redisScript } from './commands.js'

/** The key that holds the token of the holder: for scripts that check it. */
export const LEASE_KEY_SUFFIX = ':lease'

// A token is at least the time in ms: a Redis that lost its data, or a replica that took over without the last
// writes, does not give a token again that a holder still believes in. A counter that nobody used for 30 days goes.
const TAKE = redisScript(`
local token = redis.call('GET', KEYS[1])
if not token then
  token = redis.call('INCR', KEYS[3])
  local time = redis.call('TIME')
  token = string.format('%.0f', math.max(token, time[1] * 1000 + math.floor(time[2] / 1000)))
  redis.call('SET', KEYS[3], token, 'PX', 2592000000)
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
