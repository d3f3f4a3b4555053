-- Accepts one envelope: dedupe, limits, append, schedule; all or nothing. Every command costs each message a microsecond
-- or two of the one thread that all companies share, so nothing is asked that is known.
-- ARGV: offset, conversation, dedupe, seen_seconds, kind (m message, e echo, o other), json,
--       burst_ms, burst_max_ms, cap, address, address_per_second, number_interval_us, number_burst,
--       lid (or ''), lid_phone (or ''), job
-- A lid without phone is looked up; one with phone is learned.
-- -> {status, a, b}: 'accepted' conversation next_due (-1: nobody needs a hint, one was given before) | 'duplicate' job |
--    'limited' 'address'|'number' retry_ms | 'full' conversation
local c, dedupe, kind, json = ARGV[2], ARGV[3], ARGV[5], ARGV[6]
local burst, burst_max, cap = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local lid, lid_phone = ARGV[14], ARGV[15]
local message = kind == 'm'

local seen = dedupe ~= '' and P .. 'q:seen:' .. dedupe
if seen then
  local before = redis.call('GET', seen)
  if before then return { 'duplicate', before } end
end

if lid ~= '' and lid_phone == '' then
  c = redis.call('GET', P .. 'lid:' .. lid) or c
end

local lane, box = P .. 'q:lane:' .. c, P .. 'q:box:' .. c
local state = redis.call('HMGET', lane, 'ready', 'seq', 'limit', 'burst_end', 'hold', 'fence')
local last = tonumber(state[2])

-- Both limits are asked before either is charged: a refused message costs nothing that a later one would need.
local number_tat
if message then
  local address_limit, interval = tonumber(ARGV[11]), tonumber(ARGV[12])
  local second = math.floor(now / 1000)
  local address = address_limit > 0 and P .. 'rl:a:' .. ARGV[10] .. ':' .. text(second)
  local wait = 0
  if interval > 0 then
    -- GCRA; the theoretical arrival time lives in the lane, so it needs no key of its own.
    number_tat = math.max(tonumber(state[3]) or 0, now_us) + interval
    wait = number_tat - interval * tonumber(ARGV[13]) - now_us
  end
  if address then
    -- The first write must be one that a full Redis refuses: then nothing at all is written.
    local sent
    if wait > 0 then
      sent = (tonumber(redis.call('GET', address)) or 0) + 1
    else
      sent = redis.call('INCR', address)
      if sent == 1 then redis.call('EXPIRE', address, '5') end
    end
    if sent > address_limit then return { 'limited', 'address', second * 1000 + 1000 - now } end
  end
  if wait > 0 then return { 'limited', 'number', math.ceil(wait / 1000) } end
end

-- The mailbox before the memory of the id: Redis' recovery may apply the beginning of a transaction alone, and a message
-- that is remembered but not there would be lost, while one that is there twice is found out by PostgreSQL.
-- A number that only grows, also when the last one is lost.
local seq = math.max((last or 0) + 1, now_us)
local waiting = redis.call('RPUSH', box, text(seq) .. '|' .. kind .. '|' .. text(now) .. '|' .. json)
if message and waiting > cap then
  redis.call('XADD', P .. 'q:dead', '*', 'reason', 'mailbox_full', 'conversation', c, 'at', text(now), 'envelope', json)
  redis.call('RPOP', box)
end
if seen then redis.call('SET', seen, ARGV[16], 'EX', ARGV[4]) end
if lid ~= '' and lid_phone ~= '' then redis.call('SET', P .. 'lid:' .. lid, lid_phone) end
if message and waiting > cap then
  redis.call('HSET', lane, 'seq', text(seq), 'limit', number_tat and text(number_tat) or '0')
  return { 'full', c }
end

-- Where it stands: in exactly one of the list, the due ones and the leased ones, or nowhere when idle.
local is_ready = state[1] == '1'
-- A lane is touched by every claim and lives longer than any lease, so without a fence in it there is no lease.
local leased = not is_ready and state[6] and redis.call('ZSCORE', P .. 'q:lease', c)
local due = not is_ready and not leased and redis.call('ZSCORE', P .. 'q:due', c)
local held = due and state[5] == '1'

local fields = { 'seq', text(seq) }
local n = 2
if number_tat then
  fields[3], fields[4], n = 'limit', text(number_tat), 4
end
local burst_due = now
-- A burst that is over at once matters only to a release that has to know that a message came during its claim.
if message and (burst > 0 or leased) then
  -- Only a customer's message opens or prolongs a burst.
  local burst_end = tonumber(state[4]) or 0
  if burst_end < now then burst_end = now + burst_max end
  burst_due = math.min(now + burst, burst_end)
  fields[n + 1], fields[n + 2], fields[n + 3], fields[n + 4] = 'burst_due', text(burst_due), 'burst_end', text(burst_end)
  n = n + 4
end

-- In work, or held until an ambiguous send is settled: it waits in the mailbox. An echo or a command goes at once, except
-- into a burst that is still being gathered.
local goes
if not is_ready and not leased then
  if message then
    goes = not held and (burst_due <= now and 'ready' or 'due')
  elseif not due or held or kind == 'o' then
    goes = 'ready'
  end
end
if goes == 'ready' then fields[n + 1], fields[n + 2] = 'ready', '1' end
redis.call('HSET', lane, unpack(fields))
-- The lane may be forgotten after a day: its numbers grow all the same. `seq` tells when it was used last.
if not last or now_us - last > 3600000000 then redis.call('EXPIRE', lane, 86400) end
if waiting == 1 then redis.call('ZADD', P .. 'q:since', text(now), c) end
if not goes then return { 'accepted', c, -1 } end

-- Only news needs a hint: the first that is ready, or a new earliest time. All else was told before.
local hint = -1
if goes == 'ready' then
  if due then redis.call('ZREM', P .. 'q:due', c) end
  if redis.call('RPUSH', P .. 'q:ready', c) == 1 then hint = 0 end
else
  redis.call('ZADD', P .. 'q:due', text(burst_due), c)
  local first = redis.call('ZRANGE', P .. 'q:due', 0, 0, 'WITHSCORES')
  if first[1] == c then hint = tonumber(first[2]) end
end
-- A dedicated worker sleeps until the earliest moment it knows of, so it has to hear of another.
if hint >= 0 and redis.call('LLEN', P .. 'q:wake') == 0 then redis.call('RPUSH', P .. 'q:wake', '1') end
return { 'accepted', c, hint }
