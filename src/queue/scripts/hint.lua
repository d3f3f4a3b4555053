-- KEYS[1] is the control prefix. A company has work: now, or at a time.
-- ARGV: company, next_due (0 now, -1 nothing, else milliseconds)
local P, due = KEYS[1], tonumber(ARGV[2])
if due == 0 then
  if not redis.call('ZSCORE', P .. 'q:ready', ARGV[1]) then
    redis.call('ZADD', P .. 'q:ready', redis.call('INCR', P .. 'q:round'), ARGV[1])
  end
elseif due > 0 then
  redis.call('ZADD', P .. 'q:timers', 'LT', string.format('%.0f', due), ARGV[1])
end
return 1
