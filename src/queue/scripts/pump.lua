-- KEYS[1] is the control prefix. Moves companies whose time has come into the round robin.
-- ARGV: offset -> milliseconds until the next one, -1 = none
local P = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
for _, company in ipairs(redis.call('ZRANGEBYSCORE', P .. 'q:timers', '-inf', string.format('%.0f', now), 'LIMIT', 0, 1000)) do
  redis.call('ZREM', P .. 'q:timers', company)
  if not redis.call('ZSCORE', P .. 'q:ready', company) then
    redis.call('ZADD', P .. 'q:ready', redis.call('INCR', P .. 'q:round'), company)
  end
end
local first = redis.call('ZRANGE', P .. 'q:timers', 0, 0, 'WITHSCORES')
if first[2] then return math.max(0, tonumber(first[2]) - now) end
return -1
