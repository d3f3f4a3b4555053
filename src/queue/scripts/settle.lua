-- Takes decided envelopes out, stores the short context, counts usage. The caller knows that the claim is held.
-- `seqs` are comma separated; `context` '' leaves it; usage is a key (or '') with ARGV[from], ARGV[from + 1] … pairs.
local function settle(c, seqs, context, context_ttl, usage, from)
  if seqs ~= '' then
    local decided, all, gone = {}, redis.call('LRANGE', box(c), 0, -1), {}
    for seq in string.gmatch(seqs, '%d+') do decided[tonumber(seq)] = true end
    for _, entry in ipairs(all) do
      if decided[parts(entry)] then gone[#gone + 1] = entry end
    end
    if #gone > 0 then
      take_out(c, #all, gone)
      remember_oldest(c)
      redis.call('HDEL', lane(c), 'expired')
    end
  end
  if context ~= '' then redis.call('SET', P .. 'ctx:' .. c, context, 'EX', context_ttl) end
  if usage ~= '' then
    for i = from, #ARGV, 2 do
      local sum = ARGV[i + 1] ~= '0' and redis.call('HINCRBY', P .. usage, ARGV[i], ARGV[i + 1])
      -- The first of a field: two months.
      if sum == tonumber(ARGV[i + 1]) then redis.call('EXPIRE', P .. usage, 5184000) end
    end
  end
end
