-- Brings expired leases back and tells what waits. ARGV: offset, dead_letter_ms
-- -> {next_due, size, dead, oldest_ms (0 = none), epoch (1|0), leased, {c, ...} whose lease had expired, dedicated workers}
local back = {}
for _, c in ipairs(redis.call('ZRANGEBYSCORE', P .. 'q:lease', '-inf', text(now), 'LIMIT', 0, 256)) do
  redis.call('ZREM', P .. 'q:lease', c)
  -- Without mail there is nothing to become a dead letter: an outbox is finished however often that takes.
  if redis.call('LLEN', box(c)) > 0 then redis.call('HINCRBY', lane(c), 'expired', 1) end
  touch(c)
  ready(c)
  back[#back + 1] = c
end
if redis.call('EXISTS', P .. 'q:dead') == 1 then
  redis.call('XTRIM', P .. 'q:dead', 'MINID', text(math.max(0, time[1] * 1000 - ARGV[2])))
end
local workers = 0
if redis.call('EXISTS', P .. 'workers') == 1 then
  redis.call('ZREMRANGEBYSCORE', P .. 'workers', '-inf', text(now - 300000))
  workers = redis.call('ZCOUNT', P .. 'workers', text(now - 30000), '+inf')
end
local oldest = redis.call('ZRANGE', P .. 'q:since', 0, 0, 'WITHSCORES')
return {
  next_due(), tonumber(redis.call('GET', P .. 'q:size')) or 0, redis.call('XLEN', P .. 'q:dead'),
  tonumber(oldest[2]) or 0, redis.call('EXISTS', P .. 'q:epoch'), redis.call('ZCARD', P .. 'q:lease'), back, workers,
}
