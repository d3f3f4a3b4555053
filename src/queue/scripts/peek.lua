-- What has come since the claim. ARGV: offset, c, fence, last_seq -> {1, burst_due, {entry, ...}} | {0}
local c = ARGV[2]
if not holds(c, ARGV[3]) then return { 0 } end
local last, newer = tonumber(ARGV[4]), {}
for _, entry in ipairs(redis.call('LRANGE', box(c), 0, -1)) do
  local seq = parts(entry)
  if seq > last then newer[#newer + 1] = entry end
end
return { 1, tonumber(redis.call('HGET', lane(c), 'burst_due')) or 0, newer }
