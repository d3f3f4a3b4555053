-- Begins every script of the queue. KEYS[1] is the company's prefix, ARGV[1] the clock's offset in milliseconds.
local P = KEYS[1]
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2] + ARGV[1] * 1000
local now = math.floor(now_us / 1000)

local function text(n) return string.format('%d', n) end
