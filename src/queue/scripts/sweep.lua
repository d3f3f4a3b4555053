-- Brings expired leases back and tells what waits. ARGV: offset, dead_letter_ms, run (which start of Redis this is), lease_ms
-- -> {next_due, size (beyond 512 waiting conversations an estimate from the oldest of them), dead, oldest_ms (0 = none),
--    known (1|0: since this start of Redis), leased, {c, ...} whose lease had expired, dedicated workers}
local run, since_ms = string.match(redis.call('GET', P .. 'q:epoch') or '', '^(.*)|(%d+)$')
local known = run == ARGV[3]
-- Claims from before a start of Redis ended with it; their messages are not to blame.
local innocent_until = known and since_ms + tonumber(ARGV[4]) or now
local back = {}
for _, c in ipairs(redis.call('ZRANGEBYSCORE', P .. 'q:lease', '-inf', text(now), 'LIMIT', 0, 256)) do
  local ended = tonumber(redis.call('ZSCORE', P .. 'q:lease', c))
  redis.call('ZREM', P .. 'q:lease', c)
  -- Without mail there is nothing to become a dead letter: an outbox is finished however often that takes.
  if ended >= innocent_until and redis.call('LLEN', box(c)) > 0 then
    redis.call('HINCRBY', lane(c), 'expired', 1)
  end
  touch(c)
  ready(c)
  back[#back + 1] = c
end
-- A conversation with mail stands in exactly one place. Redis' own recovery can break that: of a log that was cut inside a
-- transaction it keeps the beginning, and the load after the next applies that half. So some of those that have waited
-- long are looked for, each time others, and what stands nowhere is put back.
local long = redis.call('ZCOUNT', P .. 'q:since', '-inf', text(now - 30000))
local from = long > 16 and now % long or 0
for _, c in ipairs(redis.call('ZRANGEBYSCORE', P .. 'q:since', '-inf', text(now - 30000), 'LIMIT', text(from), 16)) do
  local waits = leased(c) or redis.call('ZSCORE', P .. 'q:due', c) or redis.call('LPOS', P .. 'q:ready', c)
  if not waits then
    redis.call('HDEL', lane(c), 'ready')
    ready(c)
  end
end
if redis.call('EXISTS', P .. 'q:dead') == 1 then
  redis.call('XTRIM', P .. 'q:dead', 'MINID', text(math.max(0, time[1] * 1000 - ARGV[2])))
end
local workers = 0
if redis.call('EXISTS', P .. 'workers') == 1 then
  redis.call('ZREMRANGEBYSCORE', P .. 'workers', '-inf', text(now - 300000))
  workers = redis.call('ZCOUNT', P .. 'workers', text(now - 30000), '+inf')
end
-- Counted, not kept: a counter would cost every message a command and go wrong with the first half-done recovery.
local counted, size = redis.call('ZRANGE', P .. 'q:since', 0, 511), 0
for _, c in ipairs(counted) do size = size + redis.call('LLEN', box(c)) end
if #counted == 512 then size = math.floor(size / 512 * redis.call('ZCARD', P .. 'q:since')) end
local oldest = redis.call('ZRANGE', P .. 'q:since', 0, 0, 'WITHSCORES')
return {
  next_due(), size, redis.call('XLEN', P .. 'q:dead'),
  tonumber(oldest[2]) or 0, known and 1 or 0, redis.call('ZCARD', P .. 'q:lease'), back, workers,
}
