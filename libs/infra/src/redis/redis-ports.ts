import type { RateLimiter } from '@parley/domain';
import { RedisBroadcast } from './redis-broadcast.js';
import { RedisGatewayRegistry } from './redis-gateway-registry.js';
import { RedisLine, type RedisLineOptions } from './redis-line.js';
import { RedisRateLimiter } from './redis-rate-limiter.js';
import { RedisReplies } from './redis-replies.js';
import { RedisSessionRegistry } from './redis-session-registry.js';

/** How long a start waits for Redis before it goes on without. */
const FIRST_CONNECTION_MS_MAX = 5_000;

/** All ports that Redis stands behind, over one line. A Redis that is away stops no process from starting or running. */
export class RedisPorts {
  private constructor(
    private readonly line: RedisLine,
    readonly broadcast: RedisBroadcast,
    readonly replies: RedisReplies,
    readonly sessions: RedisSessionRegistry,
    readonly gateways: RedisGatewayRegistry,
  ) {}

  /** Resolves when Redis answers, or after some seconds without: it is then looked for until `close`. */
  static async open(options: RedisLineOptions): Promise<RedisPorts> {
    const line = new RedisLine(options);
    const broadcast = new RedisBroadcast(line, options);
    const replies = new RedisReplies(line);
    await line.open(FIRST_CONNECTION_MS_MAX);
    const [sessions, gateways] = [new RedisSessionRegistry(line), new RedisGatewayRegistry(line)];
    return new RedisPorts(line, broadcast, replies, sessions, gateways);
  }

  get isUp(): boolean {
    return this.line.isUp;
  }

  /** @param own counts in this process, and decides while Redis is away */
  rateLimiter(own: RateLimiter): RedisRateLimiter {
    return new RedisRateLimiter(this.line, { own });
  }

  async close(): Promise<void> {
    await this.broadcast.close();
    this.replies.close();
    await this.line.close();
  }
}
