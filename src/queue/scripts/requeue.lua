-- A dead letter goes back to its conversation's mailbox, as if it had just come. ARGV: offset, stream id, kind, json, c -> 1 | 0
if #redis.call('XRANGE', P .. 'q:dead', ARGV[2], ARGV[2]) == 0 then return 0 end
local c = ARGV[5]
local seq = grow(redis.call('HGET', lane(c), 'seq'))
redis.call('HSET', lane(c), 'seq', text(seq))
touch(c)
redis.call('RPUSH', box(c), text(seq) .. '|' .. ARGV[3] .. '|' .. text(now) .. '|' .. ARGV[4])
-- The letter goes when its envelope is there: of half a transaction both may be left, never neither.
redis.call('XDEL', P .. 'q:dead', ARGV[2])
redis.call('ZADD', P .. 'q:since', 'NX', text(now), c)
-- A message waits with what is held or still being gathered; an order does not.
if not leased(c) then
  local state = redis.call('HMGET', lane(c), 'hold', 'burst_due')
  local waits = ARGV[3] == 'm' and redis.call('ZSCORE', P .. 'q:due', c)
    and (state[1] == '1' or (tonumber(state[2]) or 0) > now)
  if not waits then ready(c) end
end
return 1
