-- Prolongs claims. ARGV: offset, lease_ms, then c, fence pairs -> {1|0, ...} in order
local out = {}
for i = 3, #ARGV, 2 do
  if holds(ARGV[i], ARGV[i + 1]) then
    redis.call('ZADD', P .. 'q:lease', text(now + ARGV[2]), ARGV[i])
    out[#out + 1] = 1
  else
    out[#out + 1] = 0
  end
end
return out
