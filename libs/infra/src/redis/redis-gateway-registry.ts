import { GATEWAY_TTL_MS, type GatewayEntry, GatewayRegistry, GATEWAYS_MAX, withDeadline } from '@parley/domain';
import type { RedisLine } from './redis-line.js';

/** After that whoever asks goes on without an answer. */
export const GATEWAYS_WAIT_MS_MAX = 1_000;

/** The given time in ms, or Redis' own, so that the clocks of the gateways do not matter. */
const NOW = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/**
 * Takes a gateway in and throws out those whose time is over. KEYS: the hash of all gateways. ARGV: the time in ms or an
 * empty string, the gateway's id, how long it lasts in ms, how many are kept, what is kept of it.
 */
const ANNOUNCE = `${NOW}
local stored = redis.call('HGETALL', KEYS[1])
local count, known = 0, false
for i = 1, #stored, 2 do
  if tonumber(string.match(stored[i + 1], '^%d+')) <= now then redis.call('HDEL', KEYS[1], stored[i])
  else
    count = count + 1
    if stored[i] == ARGV[2] then known = true end
  end
end
if not known and count >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], string.format('%d %s', now + tonumber(ARGV[3]), ARGV[5]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`;

/** What is kept of those whose time is not over. KEYS: the hash of all gateways. ARGV: the time in ms or an empty string. */
const LIST = `${NOW}
local found = {}
for _, value in ipairs(redis.call('HVALS', KEYS[1])) do
  local ends, kept = string.match(value, '^(%d+) (.*)$')
  if tonumber(ends) > now then found[#found + 1] = kept end
end
return found
`;

export interface RedisGatewayRegistryOptions {
  /** Milliseconds; Redis' own time if not given. Tests only: the key itself ends by Redis' time all the same. */
  nowMs?: () => number;
}

/** Gateways in Redis, all in one hash: there are few of them, and each is written every few seconds. */
export class RedisGatewayRegistry extends GatewayRegistry {
  constructor(
    private readonly line: RedisLine,
    private readonly options: RedisGatewayRegistryOptions = {},
  ) {
    super();
  }

  override async announce(gateway: GatewayEntry): Promise<boolean> {
    const words = [gateway.gatewayId, `${GATEWAY_TTL_MS}`, `${GATEWAYS_MAX}`, JSON.stringify(gateway)];
    return (await this.ask(['EVAL', ANNOUNCE, '1', this.key, this.now(), ...words])) === 1;
  }

  override async withdraw(gatewayId: string): Promise<boolean> {
    return (await this.ask(['HDEL', this.key, gatewayId])) !== null;
  }

  override async list(): Promise<readonly GatewayEntry[] | null> {
    const found = await this.ask(['EVAL', LIST, '1', this.key, this.now()]);
    return Array.isArray(found) ? found.flatMap(entryOf) : null;
  }

  private get key(): string {
    return `${this.line.prefix}gateways`;
  }

  private now(): string {
    const now = this.options.nowMs?.();
    return now === undefined ? '' : `${now}`;
  }

  /** Null when Redis does not say in time. An outage is told by the line. */
  private async ask(words: readonly string[]): Promise<unknown> {
    if (!this.line.isUp) return null;
    try {
      return await withDeadline(this.line.command(words), GATEWAYS_WAIT_MS_MAX, () => null);
    } catch {
      return null;
    }
  }
}

/** What another version of a gateway said, or somebody else, is left out where it is not understood. */
function entryOf(text: unknown): GatewayEntry[] {
  try {
    const { gatewayId, url, region, connections, draining } = JSON.parse(String(text)) as Record<string, unknown>;
    if (typeof gatewayId !== 'string' || typeof url !== 'string' || typeof connections !== 'number') return [];
    return [{ gatewayId, url, region: typeof region === 'string' ? region : null, connections, draining: !!draining }];
  } catch {
    return [];
  }
}
