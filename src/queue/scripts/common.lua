-- Follows the head in every script but the one of intake, which is too busy for what it does not need.
-- A number that only grows, also when the last one is lost.
local function grow(last) return math.max((tonumber(last) or 0) + 1, now_us) end

local function lane(c) return P .. 'q:lane:' .. c end
local function box(c) return P .. 'q:box:' .. c end

-- The lane's small hash may be forgotten after a day: its numbers grow all the same.
local function touch(c) redis.call('EXPIRE', lane(c), 86400) end

local function wake()
  if redis.call('LLEN', P .. 'q:wake') == 0 then redis.call('RPUSH', P .. 'q:wake', '1') end
end

-- Searching a list is slow, so the lane says whether the conversation is in it. Never twice.
-- `listed` is then the list's length: 1 says that nobody has been told yet that there is something to claim.
local listed = 0
local function enlist(c)
  if redis.call('HSETNX', lane(c), 'ready', '1') == 1 then listed = redis.call('RPUSH', P .. 'q:ready', c) end
end

-- Whoever calls these knows that the conversation is not leased.
local function ready(c)
  redis.call('ZREM', P .. 'q:due', c)
  enlist(c)
  wake()
end

-- A dedicated worker sleeps until the earliest moment it knows of, so it has to hear of another.
local function due_at(c, at)
  if at <= now then return ready(c) end
  if redis.call('HEXISTS', lane(c), 'ready') == 1 then return end
  redis.call('ZADD', P .. 'q:due', text(at), c)
  wake()
end

local function leased(c) return redis.call('ZSCORE', P .. 'q:lease', c) end

-- Takes entries out of a mailbox of `size`, each by its value. Redis' recovery may apply the beginning of a transaction
-- alone, and later than what followed it: what is to stay must be there at every moment of it, and taking out twice must be
-- as good as once. So never a rewrite, and never by place.
local function take_out(c, size, gone)
  for _, entry in ipairs(gone) do redis.call('LREM', box(c), '1', entry) end
  -- A burst that was decided whole does not shorten the next.
  if #gone == size then redis.call('HDEL', lane(c), 'burst_due', 'burst_end') end
end

-- An entry of a mailbox is seq|kind|accepted|json.
local function parts(entry)
  local seq, kind, at, json = string.match(entry, '^(%d+)|(%a)|(%d+)|(.*)$')
  return tonumber(seq) or 0, kind, tonumber(at) or now, json or entry
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
