-- The breaker before a company's calendar outside, shared by all processes.
-- KEYS[1] prefix; ARGV: offset, op ('ask' | 'good' | 'bad' | 'shut'), which calendar (a word), failures that open,
--   milliseconds, why it is shut (a word)
-- ask  -> {'closed', failures} | {'probe', failures} | {'open', milliseconds left, why}
-- else -> {'closed' | 'open'}
-- Failures count that follow each other within `milliseconds`. An open breaker lets one probe through when its time is
-- over; the probe's outcome decides.
local P = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
local key, op, most, ms = P .. 'calendar:breaker:' .. ARGV[3], ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5])
local state = redis.call('HMGET', key, 'failures', 'last', 'open_until', 'probe_until', 'why')
local failures, last = tonumber(state[1]) or 0, tonumber(state[2]) or 0
local open_until, probe_until = tonumber(state[3]) or 0, tonumber(state[4]) or 0
local function text(n) return string.format('%.0f', n) end

if op == 'ask' then
  if open_until == 0 then return { 'closed', failures } end
  local left = math.max(open_until, probe_until) - now
  if left > 0 then return { 'open', left, state[5] or '' } end
  redis.call('HSET', key, 'probe_until', text(now + ms))
  return { 'probe', failures }
end

if op == 'good' then
  redis.call('DEL', key)
  return { 'closed' }
end

if last + ms < now then failures = 0 end
failures = failures + 1
redis.call('HSET', key, 'failures', failures, 'last', text(now))
redis.call('EXPIRE', key, 86400)
if op == 'shut' or open_until > 0 or failures >= most then
  redis.call('HSET', key, 'open_until', text(now + ms), 'why', ARGV[6])
  redis.call('HDEL', key, 'probe_until')
  return { 'open' }
end
return { 'closed' }
