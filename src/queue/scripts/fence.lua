-- PostgreSQL knows a higher fence than this Redis: the next claim exceeds it. The claim in force keeps its own, so that it
-- can still be given back. ARGV: offset, c, fence
redis.call('HSET', lane(ARGV[2]), 'floor', text(math.max(tonumber(redis.call('HGET', lane(ARGV[2]), 'floor')) or 0, ARGV[3])))
touch(ARGV[2])
return 1
