import { redisScript } from '#state'

/** `packed`: a list of texts as one, see packed.ts. `fields`: of the journal, for record ids of a key of so many units. */
const PACKED = `
local function unpacked(text)
  local out, from = {}, string.find(text, '|', 1, true)
  local at = from + 1
  for length in string.gmatch(string.sub(text, 1, from), '%d+') do
    out[#out + 1] = string.sub(text, at, at + length - 1)
    at = at + length
  end
  return out
end
local function fields(units, key, packed)
  local out, prefix = unpacked(packed), units .. ':' .. key
  for at, id in ipairs(out) do out[at] = prefix .. id end
  return out
end
local function each_thousand(list, run)
  for from = 1, #list, 1000 do run(from, math.min(from + 999, #list)) end
end`

/**
 * Reads states and journal entries of a partition at one moment.
 * KEYS: states, journal, sequence. ARGV: for each request the key, its length in UTF-16 units and the record ids, packed.
 * Answers whether the partition was ever written, then for each request the state and those ids that the journal has: a list of
 * place, entry.
 */
export const READ = redisScript(`${PACKED}
local out, keys = { redis.call('EXISTS', KEYS[3]) }, {}
for at = 1, #ARGV, 3 do keys[#keys + 1] = ARGV[at] end
each_thousand(keys, function(from, upto)
  for _, value in ipairs(redis.call('HMGET', KEYS[1], unpack(keys, from, upto))) do
    out[#out + 1] = value
    out[#out + 1] = {}
  end
end)
if redis.call('EXISTS', KEYS[2]) == 0 then return out end
for at = 1, #ARGV, 3 do
  local found = out[(at + 2) / 3 * 2 + 1]
  local wanted = fields(ARGV[at + 1], ARGV[at], ARGV[at + 2])
  each_thousand(wanted, function(from, upto)
    for place, value in ipairs(redis.call('HMGET', KEYS[2], unpack(wanted, from, upto))) do
      if value then
        found[#found + 1] = from + place - 2
        found[#found + 1] = value
      end
    end
  end)
end
return out`)

/** KEYS: journal, timers. ARGV: for each key the key, its length in UTF-16 units and the record ids, packed. */
export const RELEASE = redisScript(`${PACKED}
for at = 1, #ARGV, 3 do
  local gone = fields(ARGV[at + 1], ARGV[at], ARGV[at + 2])
  each_thousand(gone, function(from, upto)
    redis.call('HDEL', KEYS[1], unpack(gone, from, upto))
    redis.call('ZREM', KEYS[2], unpack(gone, from, upto))
  end)
end
return 1`)

/**
 * Writes the changes of a partition whose keys still have the version that was read, each with its entries in the
 * time index, the order of writing and the journal.
 *
 * KEYS: states, due, order, sequence, journal, timers, terms.
 * ARGV: now (ms), most keys, mark, 1 if the partition must have been written before, number of terms, for each of these
 * lease and token, then for each change: key, expected version or '', due (20 digits) or '', pinned (1 or
 * 0), present (1 or 0), state, length of the key in UTF-16 units, kinds and texts of its journal entries. A kind is a letter:
 * t for a timer, r for a record, s for a record whose outcome ends as the one before; texts are packed: id, outcome up to
 * its end, and, but for s, the end.
 *
 * A state is kept as version|due|pinned|state, a journal entry as ms|outcome. A version is a growing number and the mark
 * of who wrote it. Answers with the number of evicted keys, then for each change its new version, 0 if the key was
 * removed, -1 if another version was there. Nothing is written, and the answer is 'lost' where the partition is empty
 * and must not be, 'term' where a later term of a lease has written. Nobody may need a partition for 30 days (beyond its last due): then it goes.
 */
export const WRITE = redisScript(`${PACKED}
local states, due_index, order, sequence, journal, timers, terms = unpack(KEYS)
local now = tonumber(ARGV[1])
local out = { 0 }
local at = 6
if ARGV[4] == '1' and redis.call('EXISTS', sequence) == 0 then return 'lost' end
local terms_end = at + ARGV[5] * 2
for term = at, terms_end - 1, 2 do
  local seen = redis.call('HGET', terms, ARGV[term])
  if seen and tonumber(seen) > tonumber(ARGV[term + 1]) then return 'term' end
end
while at < terms_end do
  redis.call('HSET', terms, ARGV[at], ARGV[at + 1])
  at = at + 2
end
-- A server that lost its data must not give a version that someone remembers.
if redis.call('EXISTS', sequence) == 0 then redis.call('SET', sequence, ARGV[1] .. '000') end
local function parse(value) return string.match(value, '^(%d+)|(%d*)|(%d)|') end
while at <= #ARGV do
  local key, expected, due, pinned, present = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local kinds = ARGV[at + 7]
  local version, old_due, old_pinned = '', '', '1'
  local old = redis.call('HGET', states, key)
  if old then version, old_due, old_pinned = parse(old) end
  if version == expected then
    local next = 0
    if present == '1' then
      local number = redis.call('INCR', sequence)
      next = string.format('%.0f', number) .. ARGV[3]
      redis.call('HSET', states, key, next .. '|' .. due .. '|' .. pinned .. '|' .. ARGV[at + 5])
      if pinned == '0' then redis.call('ZADD', order, number, key) end
    elseif old then
      redis.call('HDEL', states, key)
    end
    if old_pinned == '0' and (present == '0' or pinned == '1') then redis.call('ZREM', order, key) end
    if old_due ~= due then
      if old_due ~= '' then redis.call('ZREM', due_index, old_due .. key) end
      if due ~= '' then redis.call('ZADD', due_index, 0, due .. key) end
    end
    if kinds ~= '' then
      local texts, prefix = unpacked(ARGV[at + 8]), ARGV[at + 6] .. ':' .. key
      local text, ending = 1, ''
      for entry = 1, #kinds do
        local kind = string.sub(kinds, entry, entry)
        local field, own = prefix .. texts[text], texts[text + 1]
        text = text + 2
        if kind ~= 's' then
          ending = texts[text]
          text = text + 1
        end
        redis.call('HSET', journal, field, ARGV[1] .. '|' .. own .. ending)
        if kind == 't' then redis.call('ZADD', timers, now, field) end
      end
    end
    out[#out + 1] = next
  else
    out[#out + 1] = -1
  end
  at = at + 9
end

local beyond = redis.call('HLEN', states) - tonumber(ARGV[2])
if beyond > 0 then
  local gone = redis.call('ZPOPMIN', order, beyond)
  for which = 1, #gone, 2 do
    local old = redis.call('HGET', states, gone[which])
    if old then
      local _, old_due = parse(old)
      if old_due ~= '' then redis.call('ZREM', due_index, old_due .. gone[which]) end
      redis.call('HDEL', states, gone[which])
      out[1] = out[1] + 1
    end
  end
end

-- Two entries chosen at random: what nobody released for a day goes in time, at a price that does not grow.
local sample = redis.pcall('HRANDFIELD', journal, 2, 'WITHVALUES')
if not sample.err then
  for which = 1, #sample, 2 do
    if tonumber(string.match(sample[which + 1], '^%d+')) < now - 86400000 then
      redis.call('HDEL', journal, sample[which])
      redis.call('ZREM', timers, sample[which])
    end
  end
end

local kept = 2592000000
local last = redis.call('ZREVRANGE', due_index, 0, 0)[1]
if last then kept = kept + math.max(0, tonumber(string.sub(last, 1, 14)) - now) end
kept = string.format('%.0f', kept)
for _, name in ipairs({ states, due_index, order, sequence, terms }) do redis.call('PEXPIRE', name, kept) end
redis.call('PEXPIRE', journal, 172800000)
redis.call('PEXPIRE', timers, 172800000)
return out`)

/** KEYS: due, sequence. ARGV: until, limit. Answers whether the partition was ever written, then what is due. */
export const DUE = redisScript(`
local out = redis.call('ZRANGEBYLEX', KEYS[1], '-', ARGV[1], 'LIMIT', 0, ARGV[2])
table.insert(out, 1, redis.call('EXISTS', KEYS[2]))
return out`)

/**
 * Brings back states that the server has lost, under the versions that they had, unless it has newer ones.
 * KEYS: states, due, order, sequence. ARGV: for each state: key, version, due or '', pinned, state.
 */
export const RESTORE = redisScript(`
local states, due_index, order, sequence = unpack(KEYS)
local time = redis.call('TIME')
local newest = redis.call('GET', sequence) or string.format('%.0f', time[1] * 1000000 + time[2])
for at = 1, #ARGV, 5 do
  local key, version, due, pinned = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local number = string.sub(version, 1, 16)
  local old = redis.call('HGET', states, key)
  if not old or string.sub(old, 1, 16) < number then
    if old then
      local _, old_due = string.match(old, '^(%d+)|(%d*)|')
      if old_due ~= '' then redis.call('ZREM', due_index, old_due .. key) end
    end
    redis.call('HSET', states, key, version .. '|' .. due .. '|' .. pinned .. '|' .. ARGV[at + 4])
    if due ~= '' then redis.call('ZADD', due_index, 0, due .. key) end
    if pinned == '0' then redis.call('ZADD', order, number, key) else redis.call('ZREM', order, key) end
    if number > newest then newest = number end
  end
end
redis.call('SET', sequence, newest)
-- Until the next write, which knows how long they are wanted.
for _, name in ipairs(KEYS) do redis.call('PEXPIRE', name, 2592000000) end
return 1`)

/** KEYS: journal, timers. ARGV: before (ms), now (ms), limit. Answers with fields and outcomes in turn. */
export const CLAIM = redisScript(`
local out = {}
for _, field in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local value = redis.call('HGET', KEYS[1], field)
  if value then
    redis.call('ZADD', KEYS[2], ARGV[2], field)
    out[#out + 1] = field
    out[#out + 1] = string.sub(value, string.find(value, '|', 1, true) + 1)
  else
    redis.call('ZREM', KEYS[2], field)
  end
end
return out`)

/**
 * KEYS: values, order, lease. ARGV: the token that must hold the lease or '', then for each change the key, 1 or 0 for
 * present, the value. Answers 0 when the lease is another's, and nothing was written.
 */
export const KEY_VALUE_WRITE = redisScript(`
if ARGV[1] ~= '' and redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
for at = 2, #ARGV, 3 do
  if ARGV[at + 1] == '1' then
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 2])
    redis.call('ZADD', KEYS[2], 0, ARGV[at])
  else
    redis.call('HDEL', KEYS[1], ARGV[at])
    redis.call('ZREM', KEYS[2], ARGV[at])
  end
end
return 1`)

/** KEYS: values, order. ARGV: from, to, limit. Answers with keys and values in turn. */
export const KEY_VALUE_RANGE = redisScript(`
local out = {}
for _, key in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], '[' .. ARGV[1], '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])) do
  out[#out + 1] = key
  out[#out + 1] = redis.call('HGET', KEYS[1], key)
end
return out`)
