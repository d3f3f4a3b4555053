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

local state = redis.call('HMGET', lane(c), 'burst_end', 'hold', 'ready', 'seq', 'limit')

-- GCRA. Both limits are asked before either is charged: a refused message costs nothing. The number's theoretical
-- arrival time lives in its lane: no key of its own.
local function gcra(stored, interval, limit)
  local new = math.max(tonumber(stored) or 0, now_us) + interval
  local wait = new - interval * limit - now_us
  return new, wait > 0 and math.ceil(wait / 1000)
end
local address, address_tat, number_tat = P .. 'rl:a:' .. ARGV[10], nil, nil
if kind == 'm' then
  local wait
  local interval = tonumber(ARGV[11])
  if interval > 0 then
    address_tat, wait = gcra(redis.call('GET', address), interval, tonumber(ARGV[12]))
    if wait then return { 'limited', 'address', wait } end
  end
  interval = tonumber(ARGV[13])
  if interval > 0 then
    number_tat, wait = gcra(state[5], interval, tonumber(ARGV[14]))
    if wait then return { 'limited', 'number', wait } end
  end
end

-- The first write must be one that a full Redis refuses: then nothing at all is written.
local seq = grow(state[4])
local waiting = redis.call('RPUSH', box(c), text(seq) .. '|' .. kind .. '|' .. text(now) .. '|' .. json)
if seen then redis.call('SET', seen, string.match(json, '"id":"([^"]+)"') or '1', 'EX', ARGV[4]) end
if address_tat then
  redis.call('SET', address, text(address_tat), 'PX', math.max(1, math.ceil((address_tat - now_us) / 1000)))
end
if lid ~= '' and lid_phone ~= '' then redis.call('SET', P .. 'lid:' .. lid, lid_phone) end
local fields = { 'seq', text(seq) }
if number_tat then
  fields[3], fields[4] = 'limit', text(number_tat)
end

if kind == 'm' and waiting > cap then
  redis.call('RPOP', box(c))
  redis.call('HSET', lane(c), unpack(fields))
  redis.call('XADD', P .. 'q:dead', '*', 'reason', 'mailbox_full', 'conversation', c, 'at', text(now), 'envelope', json)
  return { 'full', c }
end

redis.call('INCR', P .. 'q:size')
if waiting == 1 then
  redis.call('ZADD', P .. 'q:since', text(now), c)
  if kind == 'm' then redis.call('SET', P .. 'last_heard', text(now)) end
end

-- Scheduling. Only a customer's message opens or prolongs a burst.
local is_leased, due = leased(c), redis.call('ZSCORE', P .. 'q:due', c)
local burst_due = 0
if kind == 'm' then
  local burst_end = tonumber(state[1]) or 0
  if burst_end < now then burst_end = now + burst_max end
  burst_due = math.min(now + burst, burst_end)
  local n = #fields
  fields[n + 1], fields[n + 2], fields[n + 3], fields[n + 4] = 'burst_due', text(burst_due), 'burst_end', text(burst_end)
end
redis.call('HSET', lane(c), unpack(fields))
if waiting == 1 then touch(c) end
if kind == 'm' then
  if is_leased or (due and state[2] == '1') then
    -- in work, or held until an ambiguous send is settled: it waits in the mailbox
  elseif due then
    if burst_due <= now then ready(c) else redis.call('ZADD', P .. 'q:due', text(burst_due), c) end
  elseif not state[3] then
    -- Idle: in no list, so nothing has to be taken out of one.
    if burst_due > now then
      due_at(c, burst_due)
    else
      enlist(c)
      if listed == 1 then wake() end
    end
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
