-- Accepts one envelope: dedupe, limits, append, schedule; all or nothing.
-- ARGV: offset, conversation, dedupe, seen_seconds, kind (m message, e echo, o other), json,
--       burst_ms, burst_max_ms, cap, address, address_interval_us, address_burst, number_interval_us, number_burst,
--       lid (or ''), lid_phone (or '')
-- A lid without phone is looked up; one with phone is learned.
-- -> {status, a, b}: 'accepted' conversation next_due (-1: nobody needs a hint, one was given before) | 'duplicate' job | 'limited' 'address'|'number' retry_ms | 'full' conversation
local c, dedupe, kind, json = ARGV[2], ARGV[3], ARGV[5], ARGV[6]
local burst, burst_max, cap = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local lid, lid_phone = ARGV[15], ARGV[16]

local seen = dedupe ~= '' and P .. 'q:seen:' .. dedupe
if seen then
  local before = redis.call('GET', seen)
  if before then return { 'duplicate', before } end
end

if lid ~= '' and lid_phone == '' then
  c = redis.call('GET', P .. 'lid:' .. lid) or c
end

-- GCRA. Both limits are asked before either is charged: a refused message costs nothing.
local function gcra(key, interval, limit)
  local tat = math.max(tonumber(redis.call('GET', key) or now_us), now_us)
  local new = tat + interval
  local wait = new - interval * limit - now_us
  if wait > 0 then return nil, math.ceil(wait / 1000) end
  return new, 0
end
local charges = {}
if kind == 'm' then
  local limits = {
    { 'address', P .. 'rl:a:' .. ARGV[10], tonumber(ARGV[11]), tonumber(ARGV[12]) },
    { 'number', P .. 'rl:n:' .. c, tonumber(ARGV[13]), tonumber(ARGV[14]) },
  }
  for _, limit in ipairs(limits) do
    if limit[3] > 0 then
      local new, wait = gcra(limit[2], limit[3], limit[4])
      if not new then return { 'limited', limit[1], wait } end
      charges[#charges + 1] = { limit[2], new }
    end
  end
end

-- The first write must be one that a full Redis refuses: then nothing at all is written.
local seq = grow(redis.call('GET', P .. 'q:seq'))
redis.call('SET', P .. 'q:seq', text(seq))
local job = string.match(json, '"id":"([^"]+)"') or '1'
if seen then redis.call('SET', seen, job, 'EX', ARGV[4]) end
for _, charge in ipairs(charges) do
  redis.call('SET', charge[1], text(charge[2]), 'PX', math.max(1, math.ceil((charge[2] - now_us) / 1000)))
end
if lid ~= '' and lid_phone ~= '' then redis.call('SET', P .. 'lid:' .. lid, lid_phone) end
if kind == 'm' then redis.call('SET', P .. 'last_heard', text(now)) end

if kind == 'm' and redis.call('LLEN', box(c)) >= cap then
  redis.call('XADD', P .. 'q:dead', '*', 'reason', 'mailbox_full', 'conversation', c, 'at', text(now), 'envelope', json)
  return { 'full', c }
end

redis.call('RPUSH', box(c), text(seq) .. '|' .. kind .. '|' .. text(now) .. '|' .. json)
redis.call('INCR', P .. 'q:size')
redis.call('ZADD', P .. 'q:since', 'NX', text(now), c)

-- Scheduling. Only a customer's message opens or prolongs a burst.
local state = redis.call('HMGET', lane(c), 'burst_end', 'hold', 'ready')
local is_leased, due = leased(c), redis.call('ZSCORE', P .. 'q:due', c)
if kind == 'm' then
  local burst_end = tonumber(state[1]) or 0
  if burst_end < now then burst_end = now + burst_max end
  local burst_due = math.min(now + burst, burst_end)
  redis.call('HSET', lane(c), 'burst_due', text(burst_due), 'burst_end', text(burst_end))
  touch(c)
  if is_leased or (due and state[2] == '1') then
    -- in work, or held until an ambiguous send is settled: it waits in the mailbox
  elseif due then
    if burst_due <= now then ready(c) else redis.call('ZADD', P .. 'q:due', text(burst_due), c) end
  elseif not state[3] then
    due_at(c, burst_due)
  end
elseif not is_leased then
  -- An echo or a command: at once, except into a burst that is still being gathered.
  if due then
    if state[2] == '1' or kind == 'o' then ready(c) end
  else
    ready(c)
  end
end

-- Only news needs a hint: the first that is ready, or a new earliest time. All else was told before.
local hint = -1
if listed == 1 then
  hint = 0
elseif listed == 0 and not is_leased then
  local first = redis.call('ZRANGE', P .. 'q:due', 0, 0, 'WITHSCORES')
  if first[1] == c then hint = tonumber(first[2]) end
end
return { 'accepted', c, hint }
