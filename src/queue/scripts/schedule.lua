-- Puts conversations back into an emptied queue; those that are in it stay where they are. ARGV: offset, then c, due_ms pairs -> next_due
for i = 2, #ARGV, 2 do
  local c = ARGV[i]
  if not leased(c) and not redis.call('ZSCORE', P .. 'q:due', c) then
    due_at(c, tonumber(ARGV[i + 1]))
  end
end
redis.call('SET', P .. 'q:epoch', text(now))
return next_due()
