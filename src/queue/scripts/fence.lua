-- PostgreSQL knows a higher fence than this Redis: take it over. ARGV: offset, c, fence
local stored = tonumber(redis.call('HGET', lane(ARGV[2]), 'fence')) or 0
if stored < tonumber(ARGV[3]) then
  redis.call('HSET', lane(ARGV[2]), 'fence', ARGV[3])
  touch(ARGV[2])
end
return 1
