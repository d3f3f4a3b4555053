-- Takes decided envelopes out, keeps the lease, stores the short context, counts usage: one fenced step after T1.
-- ARGV: offset, c, fence, seqs (comma separated), context ('' = leave), context_ttl_seconds,
--       usage key (or ''), then field, increment pairs -> 1 | 0
local c = ARGV[2]
if not holds(c, ARGV[3]) then return 0 end
local decided = {}
for seq in string.gmatch(ARGV[4], '%d+') do decided[tonumber(seq)] = true end
local kept, gone = {}, 0
for _, entry in ipairs(redis.call('LRANGE', box(c), 0, -1)) do
  local seq = parts(entry)
  if decided[seq] then gone = gone + 1 else kept[#kept + 1] = entry end
end
if gone > 0 then
  keep(c, kept)
  remember_oldest(c)
  redis.call('HDEL', lane(c), 'expired')
end
if ARGV[5] ~= '' then redis.call('SET', P .. 'ctx:' .. c, ARGV[5], 'EX', ARGV[6]) end
if ARGV[7] ~= '' then
  for i = 8, #ARGV, 2 do
    local sum = ARGV[i + 1] ~= '0' and redis.call('HINCRBY', P .. ARGV[7], ARGV[i], ARGV[i + 1])
    -- The first of a field: two months.
    if sum == tonumber(ARGV[i + 1]) then redis.call('EXPIRE', P .. ARGV[7], 5184000) end
  end
end
return 1
