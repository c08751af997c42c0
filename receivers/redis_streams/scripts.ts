import { redisScript } from '#state'

/** The one consumer group of a stream: an entry that it acknowledged is removed. */
export const GROUP = 'tocsin'

/**
 * Takes over what collectors that are gone had read and not acknowledged, and forgets their consumers.
 * KEYS: entries, lease. ARGV: token, consumer, cursor, count. Answers the next cursor and entries; 0 without the lease.
 */
export const CLAIM = redisScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.pcall('XGROUP', 'CREATE', KEYS[1], '${GROUP}', '0', 'MKSTREAM')
local claimed = redis.call('XAUTOCLAIM', KEYS[1], '${GROUP}', ARGV[2], 0, ARGV[3], 'COUNT', ARGV[4])
if claimed[1] == '0-0' then
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], '${GROUP}')) do
    if consumer[2] ~= ARGV[2] and consumer[4] == 0 then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[1], '${GROUP}', consumer[2])
    end
  end
end
local there = {}
-- Redis 6 answers nothing for what was removed from the stream; it leaves the list of what is pending with it.
for _, entry in ipairs(claimed[2]) do if entry and entry[2] then there[#there + 1] = entry end end
return { claimed[1], there }`)

/**
 * Reads on: first what is pending for this consumer beyond the newest entry that it took, because the answer that held
 * it never came or came too late; then what is new. KEYS: entries, lease. ARGV: token, consumer, newest, count.
 * Answers the length of the stream and entries; 0 without the lease.
 */
export const READ = redisScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local function read(from)
  local found = redis.pcall('XREADGROUP', 'GROUP', '${GROUP}', ARGV[2], 'COUNT', ARGV[4], 'STREAMS', KEYS[1], from)
  if type(found) ~= 'table' then return {} end
  if not found.err then return found[1][2] end
  if not string.find(found.err, 'NOGROUP') then return found end
  redis.call('XGROUP', 'CREATE', KEYS[1], '${GROUP}', '0', 'MKSTREAM')
  return {}
end
local entries = {}
local pending = read(ARGV[3])
if pending.err then return pending end
for _, entry in ipairs(pending) do
  -- What was removed from the stream meanwhile is pending without its fields.
  if entry[2] then entries[#entries + 1] = entry else redis.call('XACK', KEYS[1], '${GROUP}', entry[1]) end
end
if #pending == 0 then entries = read('>') end
if entries.err then return entries end
return { redis.call('XLEN', KEYS[1]), entries }`)

/** KEYS: entries, lease. ARGV: token, ids. Answers 0 without the lease: then the entries are another's. */
export const ACKNOWLEDGE = redisScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('XACK', KEYS[1], '${GROUP}', unpack(ARGV, 2))
redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
return 1`)

/**
 * Says that a collector is there, and how far its partitions are. KEYS: members, watermarks. ARGV: member, ms until it
 * counts as gone, then partitions and times in turn. Answers all members, and partitions and times in turn.
 */
export const MEET = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', KEYS[1], 2592000000)
redis.call('PEXPIRE', KEYS[2], 2592000000)
return { redis.call('ZRANGE', KEYS[1], 0, -1), redis.call('HGETALL', KEYS[2]) }`)
