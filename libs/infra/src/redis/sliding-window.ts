import { createHash } from 'node:crypto';

/**
 * A sliding window as one script, so that processes cannot count past each other. What a key has used is kept in at most
 * sixteen steps and one, each with its begin, its latest use and its cost: a key costs the same however high its limit is.
 * What was used within a step is forgotten together. Times are Redis' own, in milliseconds, unless one is
 * given: then keys last an hour at least, since Redis ends them by its own.
 *
 * KEYS: the key. ARGV: `take`, `peek` or `give-back`; cost; limit; window in ms; the time in ms, or an empty string.
 * Answers: allowed (1 or 0), and after how many ms to come again.
 */
const SOURCE = `
local operation, cost, limit, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = tonumber(ARGV[5])
local keptMin = now and 3600000 or 1
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local stored = redis.call('GET', KEYS[1])
local steps, used = {}, 0
if stored then
  for _, step in ipairs(cmsgpack.unpack(stored)) do
    if step[2] > now - window then
      steps[#steps + 1] = step
      used = used + step[3]
    end
  end
end

local function keep()
  if #steps == 0 then redis.call('DEL', KEYS[1])
  else redis.call('SET', KEYS[1], cmsgpack.pack(steps), 'PX', math.max(keptMin, math.ceil(steps[#steps][2] + window - now))) end
end

if operation == 'give-back' then
  while cost > 0 and #steps > 0 do
    local newest = steps[#steps]
    local returned = math.min(cost, newest[3])
    newest[3] = newest[3] - returned
    cost = cost - returned
    if newest[3] == 0 then steps[#steps] = nil end
  end
  keep()
  return {1, 0}
end

if used + cost > limit then
  for _, step in ipairs(steps) do
    used = used - step[3]
    if used + cost <= limit then return {0, math.max(1, math.ceil(step[2] + window - now))} end
  end
  return {0, window}
end

if operation == 'take' then
  local newest = steps[#steps]
  if newest and now - newest[1] < window / 16 then
    newest[2] = math.max(newest[2], now)
    newest[3] = newest[3] + cost
  else
    steps[#steps + 1] = {now, now, cost}
  end
  keep()
end
return {1, 0}
`;

export const SLIDING_WINDOW = { source: SOURCE, sha1: createHash('sha1').update(SOURCE).digest('hex') };
