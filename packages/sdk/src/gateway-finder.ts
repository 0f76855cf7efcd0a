import { inTime, type Clock } from './clock.js';
import { toParleyError } from './errors.js';
import type { ConnectAnswer } from './wire.js';

/** An answer is good for so long: a few attempts in a row, each at another gateway, ask once. */
const ANSWER_GOOD_MS = 10_000;
/** While nobody answers, the gateways that were named last are still the best guess, for so long. */
const LAST_NAMED_GOOD_MS = 600_000;
const ASK_TIMEOUT_MS = 5_000;
/** A server without the call is not asked at each reconnect again. */
const UNKNOWN_CALL_GOOD_MS = 600_000;
const GATEWAYS_MAX = 8;
const DEFAULT_PATH = '/socket.io';

/** Where a socket is to be opened. */
export interface GatewayAddress {
  readonly url: string;
  readonly path: string;
}

export interface GatewayFinderDoor {
  /** The address that the application gave: REST is there, and sockets, where no other gateway is named. */
  readonly url: string;
  readonly clock: Clock;
  /** `GET /v1/connect`. @throws ParleyError */
  askGateways(token: string): Promise<ConnectAnswer>;
}

/**
 * Which gateway to connect to: the one that the server names, then its fall-backs, then the address that was given. A
 * gateway that failed is passed over until one of them was reached or none is left.
 */
export class GatewayFinder {
  private named: readonly GatewayAddress[] = [];
  private namedAtMs = -Infinity;
  private nextAskAtMs = -Infinity;
  private hint: GatewayAddress | null = null;
  private readonly passedOver = new Set<string>();

  constructor(private readonly door: GatewayFinderDoor) {}

  /**
   * Waits 5 s for the server at most. An answer that says nothing about the token counts as none.
   * @throws ParleyError when the token was refused
   */
  async next(token: string): Promise<GatewayAddress> {
    const { hint } = this;
    this.hint = null;
    if (hint && !this.passedOver.has(hint.url)) return hint;
    if (this.door.clock.now() >= this.nextAskAtMs) await this.ask(token);
    const isStale = this.door.clock.now() - this.namedAtMs > LAST_NAMED_GOOD_MS;
    const given = { url: this.door.url, path: DEFAULT_PATH };
    const all = [...(isStale ? [] : this.named), given];
    const left = all.find(({ url }) => !this.passedOver.has(url));
    if (left) return left;
    this.passedOver.clear();
    return all[0] ?? given;
  }

  /** Another gateway's word on where to go; tried first, once. */
  suggest(url: string): void {
    if (this.isAllowed(url)) this.hint = { url, path: this.named[0]?.path ?? DEFAULT_PATH };
  }

  /** It could not be reached, or is about to end: others come first. */
  passOver({ url }: GatewayAddress): void {
    this.passedOver.add(url);
  }

  /** One was reached: whatever failed before has another chance. */
  reached(): void {
    this.passedOver.clear();
  }

  private async ask(token: string): Promise<void> {
    try {
      const asked = this.door.askGateways(token);
      const answer = await inTime(this.door.clock, ASK_TIMEOUT_MS, 'No connection in time', asked);
      this.named = this.gatewaysOf(answer);
      this.namedAtMs = this.door.clock.now();
      this.nextAskAtMs = this.namedAtMs + ANSWER_GOOD_MS;
    } catch (cause) {
      const error = toParleyError(cause);
      if (error.status === 401 && error.code !== 'internal') throw error;
      if (error.status === 404) this.nextAskAtMs = this.door.clock.now() + UNKNOWN_CALL_GOOD_MS;
    }
  }

  private gatewaysOf({ url, path, fallbackUrls }: ConnectAnswer): GatewayAddress[] {
    if (typeof path !== 'string' || !path.startsWith('/') || !Array.isArray(fallbackUrls)) return [];
    const urls = [...new Set([url, ...fallbackUrls])].filter((one) => this.isAllowed(one));
    return urls.slice(0, GATEWAYS_MAX).map((one) => ({ url: one.replace(/\/+$/, ''), path }));
  }

  /** A token that was encrypted on its way here is sent nowhere in the clear. */
  private isAllowed(url: unknown): boolean {
    return typeof url === 'string' && (this.door.url.startsWith('https:') ? /^https:\/\/./ : /^https?:\/\/./).test(url);
  }
}
