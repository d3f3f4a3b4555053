-- Settles what was decided and gives a conversation back.
-- ARGV: offset, c, fence, mode ('clean' all is finished | 'now' again at once | 'at' a time | 'hold' a time, no new turn
--       before it | 'failed' a time, and the failure counts like an expired lease), at_ms, drop_context (1|0), cap,
--       seqs, context, context_ttl_seconds, usage key, then field, increment pairs (see settle)
-- -> {1|0, ready_len, next_due (-1: nobody needs a hint)}
local c, mode = ARGV[2], ARGV[4]
if not holds(c, ARGV[3]) then return { 0, 0, -1 } end
settle(c, ARGV[8], ARGV[9], ARGV[10], ARGV[11], 12)
redis.call('ZREM', P .. 'q:lease', c)
if ARGV[6] == '1' then redis.call('DEL', P .. 'ctx:' .. c) end
if mode == 'clean' then
  redis.call('HSET', lane(c), 'clean', '1')
  redis.call('HDEL', lane(c), 'expired')
  if redis.call('LLEN', box(c)) > 0 then
    due_at(c, tonumber(redis.call('HGET', lane(c), 'burst_due')) or 0)
  end
elseif mode == 'now' then
  ready(c)
else
  if mode == 'hold' then redis.call('HSET', lane(c), 'hold', '1') end
  local mail = redis.call('LLEN', box(c)) > 0
  if mode == 'failed' and mail then redis.call('HINCRBY', lane(c), 'expired', 1) end
  -- An echo that came meanwhile may settle what is held.
  local echo = false
  if mode == 'hold' then
    for _, entry in ipairs(redis.call('LRANGE', box(c), 0, -1)) do
      local _, kind = parts(entry)
      if kind ~= 'm' then echo = true end
    end
  end
  local at = tonumber(ARGV[5])
  -- A message that came during the claim (only such a one has set a burst) need not wait for the retry's time.
  local burst_due = mode == 'at' and mail and tonumber(redis.call('HGET', lane(c), 'burst_due'))
  if burst_due then at = math.min(at, burst_due) end
  if echo then ready(c) else due_at(c, at) end
end
touch(c)
local waiting = redis.call('LLEN', P .. 'q:ready')
-- At the cap nobody was told of what is ready: this release is what they wait for.
if waiting > 0 and redis.call('ZCARD', P .. 'q:lease') + 1 >= tonumber(ARGV[7]) then
  wake()
  return { 1, waiting, 0 }
end
if listed == 1 then return { 1, waiting, 0 } end
local first = redis.call('ZRANGE', P .. 'q:due', 0, 0, 'WITHSCORES')
return { 1, waiting, first[1] == c and tonumber(first[2]) or -1 }
