import { createHash } from 'node:crypto';

interface Script {
  source: string;
  sha1: string;
}

const script = (source: string): Script => ({ source, sha1: createHash('sha1').update(source).digest('hex') });

/** The time in ms: the given one, or Redis' own, so that the clocks of gateways do not matter. */
const NOW = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/**
 * Takes in the reports of one user. Its sessions are fields of one hash, each with the time of its end before what was
 * reported; those that have ended are deleted on the way, and the key ends with the last of them.
 *
 * KEYS: the user's key. ARGV: the time in ms or an empty string; how many sessions are kept; then, for each report, its
 * field, how long it lasts in ms, and what is kept of it.
 */
export const PUT_SESSIONS = script(`${NOW}
local kept, count, last = {}, 0, 0
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local ends = tonumber(string.match(stored[i + 1], '^%d+'))
  if ends <= now then redis.call('HDEL', KEYS[1], stored[i])
  else
    kept[stored[i]] = true
    count = count + 1
    last = math.max(last, ends)
  end
end
for i = 3, #ARGV, 3 do
  local field, ttl = ARGV[i], tonumber(ARGV[i + 1])
  if ttl <= 0 then
    if kept[field] then
      redis.call('HDEL', KEYS[1], field)
      kept[field] = nil
      count = count - 1
    end
  elseif kept[field] or count < tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[1], field, string.format('%d %s', now + ttl, ARGV[i + 2]))
    if not kept[field] then count = count + 1 end
    kept[field] = true
    last = math.max(last, now + ttl)
  end
end
if count > 0 then redis.call('PEXPIRE', KEYS[1], string.format('%d', last - now)) end
return count
`);

/**
 * The sessions of one user that have not ended. KEYS: the user's key. ARGV: the time in ms or an empty string.
 * Answers a flat list: field, for how many ms it lasts yet, what was kept of it.
 */
export const GET_SESSIONS = script(`${NOW}
local found = {}
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local ends, rest = string.match(stored[i + 1], '^(%d+) (.*)$')
  if tonumber(ends) > now then
    found[#found + 1] = stored[i]
    found[#found + 1] = tonumber(ends) - now
    found[#found + 1] = rest
  end
end
return found
`);
