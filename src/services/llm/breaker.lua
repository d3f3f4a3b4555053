-- The breaker of one of a company's models, and the company's error budget; shared by all processes.
-- KEYS[1] prefix; ARGV: offset, op ('ask' | 'good' | 'bad'), failures that open, open_ms, budget window minutes, count,
--   sum up the window (1|0: sixty reads), the model's provider (a word)
-- ask  -> {'closed' | 'probe' | 'open', failures}
-- else -> {state ('closed' | 'open' | 'half_open'), good calls in the window, bad calls in the window}
-- An open breaker lets one probe through when its time is over; the probe's outcome decides.
local P = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
local key, op, most, open_ms, window = P .. 'llm:breaker:' .. ARGV[8], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local state = redis.call('HMGET', key, 'failures', 'open_until', 'probe_until')
local failures, open_until, probe_until = tonumber(state[1]) or 0, tonumber(state[2]) or 0, tonumber(state[3]) or 0
local function text(n) return string.format('%.0f', n) end

if op == 'ask' then
  if open_until == 0 then return { 'closed', failures } end
  if now < open_until or now < probe_until then return { 'open', failures } end
  redis.call('HSET', key, 'probe_until', text(now + open_ms))
  return { 'probe', failures }
end

if op == 'good' then
  if failures > 0 or open_until > 0 then redis.call('DEL', key) end
  open_until = 0
elseif op == 'bad' then
  failures = redis.call('HINCRBY', key, 'failures', 1)
  if open_until > 0 or failures >= most then
    open_until = now + open_ms
    redis.call('HSET', key, 'open_until', text(open_until))
    redis.call('HDEL', key, 'probe_until')
  end
  redis.call('EXPIRE', key, 86400)
end

local minute = math.floor(now / 60000)
redis.call('HINCRBY', P .. 'llm:minute:' .. minute, op, ARGV[6])
redis.call('EXPIRE', P .. 'llm:minute:' .. minute, window * 60 + 60)
local word = 'closed'
if open_until > 0 then
  if now < open_until then word = 'open' else word = 'half_open' end
end
if ARGV[7] ~= '1' then return { word } end
local good, bad = 0, 0
for m = minute - window + 1, minute do
  local counts = redis.call('HMGET', P .. 'llm:minute:' .. m, 'good', 'bad')
  good = good + (tonumber(counts[1]) or 0)
  bad = bad + (tonumber(counts[2]) or 0)
end
return { word, good, bad }
