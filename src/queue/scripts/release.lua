-- Gives a conversation back.
-- ARGV: offset, c, fence, mode ('clean' all is finished | 'now' again at once | 'at' a time | 'hold' a time, no new turn
--       before it | 'restart' as if it had never been claimed), at_ms, drop_context (1|0)
-- -> {1|0, ready_len, next_due}
local c, mode = ARGV[2], ARGV[4]
if not holds(c, ARGV[3]) then return { 0, 0, -1 } end
redis.call('ZREM', P .. 'q:lease', c)
if ARGV[6] == '1' then redis.call('DEL', P .. 'ctx:' .. c) end
if mode == 'clean' then
  redis.call('HSET', lane(c), 'clean', '1')
  if redis.call('LLEN', box(c)) > 0 then
    due_at(c, tonumber(redis.call('HGET', lane(c), 'burst_due')) or 0)
  end
elseif mode == 'now' or mode == 'restart' then
  ready(c)
else
  if mode == 'hold' then redis.call('HSET', lane(c), 'hold', '1') end
  -- An echo that came meanwhile may settle what is held.
  local echo = false
  if mode == 'hold' then
    for _, entry in ipairs(redis.call('LRANGE', box(c), 0, -1)) do
      local _, kind = parts(entry)
      if kind ~= 'm' then echo = true end
    end
  end
  if echo then ready(c) else due_at(c, tonumber(ARGV[5])) end
end
touch(c)
return { 1, redis.call('LLEN', P .. 'q:ready'), next_due() }
