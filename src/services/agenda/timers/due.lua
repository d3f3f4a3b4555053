-- KEYS[1] is the control prefix. Companies by the time at which they have something due, and how often each was told of.
-- ARGV: 'tell' company at | 'take' now lease limit -> company, told, company, told … | 'settle' company told next (-1: nothing)
local due, told = KEYS[1] .. 'agenda:due', KEYS[1] .. 'agenda:told'
local what, company = ARGV[1], ARGV[2]
if what == 'tell' then
  redis.call('HINCRBY', told, company, 1)
  redis.call('ZADD', due, 'LT', ARGV[3], company)
  return 1
end
if what == 'take' then
  local taken = {}
  for _, one in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', ARGV[2], 'LIMIT', 0, ARGV[4])) do
    redis.call('ZADD', due, ARGV[3], one)
    taken[#taken + 1] = one
    taken[#taken + 1] = redis.call('HGET', told, one) or '0'
  end
  return taken
end
local next = tonumber(ARGV[4])
if (redis.call('HGET', told, company) or '0') ~= ARGV[3] then
  -- Something was planned meanwhile, perhaps for a time after the lease: it is looked at again when the lease is over.
  if next >= 0 then redis.call('ZADD', due, 'LT', ARGV[4], company) end
elseif next < 0 then
  redis.call('ZREM', due, company)
else
  redis.call('ZADD', due, ARGV[4], company)
end
return 1
