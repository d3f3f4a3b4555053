-- Claims conversations of one company, within its concurrency and its share of the round (deficit round robin:
-- each visit adds the quantum, each claimed envelope takes one, an empty queue forgets the rest).
-- ARGV: offset, lease_ms, max, cap, quantum
-- -> {ready_left (-1 = at the cap), next_due, {c, fence, expired, clean, {entry, ...}, short context (''
--    = forgotten, or not to be trusted since the last holder left something unfinished)}, ...}
local lease_ms, max, cap, quantum = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

for _, c in ipairs(redis.call('ZRANGEBYSCORE', P .. 'q:due', '-inf', text(now), 'LIMIT', 0, 256)) do
  redis.call('ZREM', P .. 'q:due', c)
  enlist(c)
end

local room = cap - redis.call('ZCARD', P .. 'q:lease')
-- At the cap nothing can be claimed before a claim ends, and that one tells; of a later time it does not.
local function later()
  local first = redis.call('ZRANGE', P .. 'q:due', 0, 0, 'WITHSCORES')
  return tonumber(first[2]) or -1
end
if room <= 0 then return { -1, later() } end
local deficit = (tonumber(redis.call('GET', P .. 'q:deficit')) or 0) + quantum
local out = { 0, 0 }
local taken = 0
while taken < math.min(max, room) and deficit > 0 do
  local c = redis.call('LPOP', P .. 'q:ready')
  if not c then break end
  if not leased(c) then
    local entries = redis.call('LRANGE', box(c), 0, -1)
    local state = redis.call('HMGET', lane(c), 'fence', 'expired', 'clean', 'floor')
    local fence = text(grow(math.max(tonumber(state[1]) or 0, tonumber(state[4]) or 0)))
    redis.call('HSET', lane(c), 'fence', fence)
    redis.call('HDEL', lane(c), 'ready', 'clean', 'hold', 'burst_due', 'burst_end', 'floor')
    redis.call('ZREM', P .. 'q:due', c)
    touch(c)
    redis.call('ZADD', P .. 'q:lease', text(now + lease_ms), c)
    out[#out + 1] = { c, fence, state[2] or '0', state[3] or '0', entries,
      state[3] == '1' and redis.call('GET', P .. 'ctx:' .. c) or '' }
    deficit = deficit - math.max(1, #entries)
    taken = taken + 1
  else
    -- Should not be: nothing leased is in the list. Its release puts it back.
    redis.call('HDEL', lane(c), 'ready')
  end
end
local left = redis.call('LLEN', P .. 'q:ready')
if left == 0 then
  redis.call('DEL', P .. 'q:deficit', P .. 'q:wake')
else
  redis.call('SET', P .. 'q:deficit', text(math.min(deficit, quantum)), 'EX', 60)
end
if taken >= room then
  out[1], out[2] = -1, later()
else
  out[1], out[2] = left, next_due()
end
return out
