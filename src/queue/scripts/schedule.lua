-- Puts conversations back into an emptied queue; those that are in it stay where they are.
-- ARGV: offset, run (which start of Redis this is), then c, due_ms pairs -> next_due
for i = 3, #ARGV, 2 do
  local c = ARGV[i]
  if not leased(c) and not redis.call('ZSCORE', P .. 'q:due', c) then
    due_at(c, tonumber(ARGV[i + 1]))
  end
end
redis.call('SET', P .. 'q:epoch', ARGV[2] .. '|' .. text(now))
return next_due()
