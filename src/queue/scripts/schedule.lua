-- Puts conversations back into an emptied queue. ARGV: offset, then c, due_ms pairs -> next_due
for i = 2, #ARGV, 2 do
  local c = ARGV[i]
  if not leased(c) and not redis.call('ZSCORE', P .. 'q:due', c) and redis.call('LLEN', box(c)) == 0 then
    due_at(c, tonumber(ARGV[i + 1]))
  end
end
redis.call('SET', P .. 'q:epoch', text(now))
return next_due()
