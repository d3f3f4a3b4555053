-- Prepended to every script of the queue. KEYS[1] is the company's prefix, ARGV[1] the clock's offset in milliseconds.
local P = KEYS[1]
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2] + ARGV[1] * 1000
local now = math.floor(now_us / 1000)

local function text(n) return string.format('%.0f', n) end

-- A number that only grows, also when the last one is lost.
local function grow(last) return math.max((tonumber(last) or 0) + 1, now_us) end

local function lane(c) return P .. 'q:lane:' .. c end
local function box(c) return P .. 'q:box:' .. c end

-- The lane's small hash may be forgotten after a day: its numbers grow all the same.
local function touch(c) redis.call('EXPIRE', lane(c), 86400) end

local function ready(c)
  redis.call('RPUSH', P .. 'q:ready', c)
  if redis.call('LLEN', P .. 'q:wake') == 0 then redis.call('RPUSH', P .. 'q:wake', '1') end
end

local function due_at(c, at)
  if at <= now then ready(c) else redis.call('ZADD', P .. 'q:due', text(at), c) end
end

-- Where a conversation is: 'lease', 'due', 'ready' (the list is not searched: it is whatever remains), or nil.
local function leased(c) return redis.call('ZSCORE', P .. 'q:lease', c) end

-- An entry of a mailbox is seq|kind|accepted|json.
local function parts(entry)
  local seq, kind, at = string.match(entry, '^(%d+)|(%a)|(%d+)|')
  return tonumber(seq), kind, tonumber(at)
end

-- After the mailbox changed: how long has its oldest entry waited.
local function remember_oldest(c)
  local first = redis.call('LINDEX', box(c), 0)
  if first then
    local _, _, at = parts(first)
    redis.call('ZADD', P .. 'q:since', text(at), c)
  else
    redis.call('ZREM', P .. 'q:since', c)
  end
end

-- The claim is still this one.
local function holds(c, fence)
  return leased(c) and redis.call('HGET', lane(c), 'fence') == fence
end

-- Earliest moment at which something will be claimable; 0 = now, -1 = nothing waits.
local function next_due()
  if redis.call('LLEN', P .. 'q:ready') > 0 then return 0 end
  local first = redis.call('ZRANGE', P .. 'q:due', 0, 0, 'WITHSCORES')
  if first[2] then return tonumber(first[2]) end
  return -1
end
