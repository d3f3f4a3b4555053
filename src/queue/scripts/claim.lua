-- Claims conversations of one company, within its concurrency and its share of the round (deficit round robin:
-- each visit adds the quantum, each claimed envelope takes one, an empty queue forgets the rest).
-- ARGV: offset, lease_ms, max, cap, quantum
-- -> {ready_left (-1 = at the cap), next_due, {c, fence, expired, clean, {entry, ...}}, ...}
local lease_ms, max, cap, quantum = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

for _, c in ipairs(redis.call('ZRANGEBYSCORE', P .. 'q:due', '-inf', text(now), 'LIMIT', 0, 256)) do
  redis.call('ZREM', P .. 'q:due', c)
  redis.call('RPUSH', P .. 'q:ready', c)
end

local room = cap - redis.call('ZCARD', P .. 'q:lease')
if room <= 0 then return { -1, -1 } end
local deficit = (tonumber(redis.call('GET', P .. 'q:deficit')) or 0) + quantum
local out = { 0, 0 }
local taken = 0
while taken < math.min(max, room) and deficit > 0 do
  local c = redis.call('LPOP', P .. 'q:ready')
  if not c then break end
  if not leased(c) then
    local entries = redis.call('LRANGE', box(c), 0, -1)
    local state = redis.call('HMGET', lane(c), 'fence', 'expired', 'clean')
    local fence = text(grow(state[1]))
    redis.call('HSET', lane(c), 'fence', fence)
    redis.call('HDEL', lane(c), 'clean', 'hold', 'burst_due', 'burst_end')
    touch(c)
    redis.call('ZADD', P .. 'q:lease', text(now + lease_ms), c)
    out[#out + 1] = { c, fence, state[2] or '0', state[3] or '0', entries }
    deficit = deficit - math.max(1, #entries)
    taken = taken + 1
  end
end
local left = redis.call('LLEN', P .. 'q:ready')
if left == 0 then
  redis.call('DEL', P .. 'q:deficit', P .. 'q:wake')
else
  redis.call('SET', P .. 'q:deficit', text(math.min(deficit, quantum)), 'EX', 60)
end
if taken >= room then left = -1 end
out[1], out[2] = left, next_due()
return out
