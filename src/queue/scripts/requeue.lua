-- A dead letter goes back to its conversation's mailbox, as if it had just come. ARGV: offset, stream id, kind, json, c -> 1 | 0
if redis.call('XDEL', P .. 'q:dead', ARGV[2]) == 0 then return 0 end
local c = ARGV[5]
local seq = grow(redis.call('GET', P .. 'q:seq'))
redis.call('SET', P .. 'q:seq', text(seq))
redis.call('RPUSH', box(c), text(seq) .. '|' .. ARGV[3] .. '|' .. text(now) .. '|' .. ARGV[4])
redis.call('INCR', P .. 'q:size')
redis.call('ZADD', P .. 'q:since', 'NX', text(now), c)
if not leased(c) and not redis.call('ZSCORE', P .. 'q:due', c) and redis.call('LLEN', box(c)) == 1 then ready(c) end
return 1
