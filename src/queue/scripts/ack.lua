-- Settles in the middle of a claim. ARGV: offset, c, fence, seqs, context, context_ttl_seconds -> 1 | 0
if not holds(ARGV[2], ARGV[3]) then return 0 end
settle(ARGV[2], ARGV[4], ARGV[5], ARGV[6], '', 0)
return 1
