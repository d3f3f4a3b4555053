-- Turns envelopes of a claimed conversation into dead letters. ARGV: offset, c, fence, reason, seqs ('*' = all) -> count | -1
local c = ARGV[2]
if not holds(c, ARGV[3]) then return -1 end
local chosen = {}
for seq in string.gmatch(ARGV[5], '%d+') do chosen[tonumber(seq)] = true end
local told = {}
local all, gone = redis.call('LRANGE', box(c), 0, -1), {}
for _, entry in ipairs(all) do
  local seq, _, _, json = parts(entry)
  if ARGV[5] == '*' or chosen[seq] then
    -- A message that came in twice (Redis had lost its memory of the id) is one letter.
    local id = string.match(json, '"dedupe":"([^"]*)"')
    if not id or not told[id] then
      told[id or ''] = true
      redis.call('XADD', P .. 'q:dead', '*', 'reason', ARGV[4], 'conversation', c, 'at', text(now), 'envelope', json)
    end
    gone[#gone + 1] = entry
  end
end
if #gone > 0 then
  take_out(c, #all, gone)
  redis.call('HDEL', lane(c), 'expired')
  remember_oldest(c)
end
return #gone
