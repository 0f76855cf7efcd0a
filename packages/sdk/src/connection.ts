import { backOffMs } from './clock.js';
import { ParleyError, toParleyError } from './errors.js';
import { GatewayFinder, type GatewayAddress, type GatewayFinderDoor } from './gateway-finder.js';
import type { Answer, Link, OpenLink, ServerEvent } from './ports.js';
import type { TokenSource } from './tokens.js';
import type { ClientEventName, ClientEventPayload, Closing, ErrorCode } from './wire.js';

export const OPEN_TIMEOUT_MS = 10_000;
export const ANSWER_TIMEOUT_MS = 10_000;
export const HEARTBEAT_MS = 30_000;
/** A connection that was interrupted by sleep shows it in this time after waking up. */
const WAKE_ANSWER_TIMEOUT_MS = 3_000;
const RECONNECT_FIRST_MS = 500;
const RECONNECT_MS_MAX = 30_000;
/** A connection that lasted so long counts as a good one: the next back-off begins anew. */
const STABLE_MS = 10_000;
const RENEW_RETRY_MS = 5_000;
/** Fresh tokens that the server may refuse one after the other before nobody is taken to be signed in. */
const REFUSED_TOKENS_MAX = 2;

export type ConnectionState =
  | { readonly status: 'idle' }
  | { readonly status: 'connecting'; readonly attempt: number }
  | { readonly status: 'connected' }
  /** `retryAtMs`: milliseconds since the epoch. */
  | { readonly status: 'waiting'; readonly attempt: number; readonly retryAtMs: number; readonly error: ParleyError }
  /** It does not come back by itself; `error` is null when the application closed it. */
  | { readonly status: 'closed'; readonly error: ParleyError | null };

export interface ConnectionOptions extends GatewayFinderDoor {
  readonly deviceId: string;
  readonly random: () => number;
  readonly tokens: TokenSource;
  readonly openLink: OpenLink;
  readonly onState: (state: ConnectionState) => void;
  readonly onEvent: (event: ServerEvent) => void;
}

/**
 * One connection that is kept up until it is closed. Each attempt has a number: what a given-up attempt still brings is
 * recognised by it and dropped. Nothing in here rejects unseen.
 */
export class Connection {
  state: ConnectionState = { status: 'idle' };
  private readonly gateways: GatewayFinder;
  /** That of the open connection, or of the attempt under way. */
  private gateway: GatewayAddress | null = null;
  private link: Link | null = null;
  private generation = 0;
  private attempt = 0;
  private refusedTokens = 0;
  private needsFreshToken = false;
  private connectedAtMs = 0;
  private isActive = true;
  /** What the server announced before it closes the socket. */
  private closing: Closing | null = null;
  private cancelRetry: (() => void) | null = null;
  private cancelHeartbeat: (() => void) | null = null;
  private cancelRenewal: (() => void) | null = null;

  constructor(private readonly options: ConnectionOptions) {
    this.gateways = new GatewayFinder(options);
  }

  /** Connects unless it does already. */
  open(): void {
    if (this.state.status === 'connecting' || this.state.status === 'connected') return;
    if (this.state.status === 'closed') this.attempt = 0;
    void this.connect();
  }

  close(error: ParleyError | null = null): void {
    this.generation++;
    this.cancelRetry?.();
    this.drop();
    this.enter({ status: 'closed', error });
  }

  /** The device woke up or has a network again: looks at once instead of waiting. */
  wake(): void {
    if (this.state.status === 'waiting') {
      this.cancelRetry?.();
      void this.connect();
    } else if (this.state.status === 'connected') {
      void this.beat(WAKE_ANSWER_TIMEOUT_MS);
    }
  }

  /** Whether somebody looks at the application; told to the server with each heartbeat, and now. */
  setActive(isActive: boolean): void {
    if (this.isActive === isActive) return;
    this.isActive = isActive;
    if (this.state.status === 'connected') void this.beat(ANSWER_TIMEOUT_MS);
  }

  /** @throws ParleyError: what the server refused, `timeout`, or `network` */
  async ask<Name extends ClientEventName>(name: Name, payload: ClientEventPayload<Name>): Promise<Answer<Name>> {
    if (!this.link) throw new ParleyError('network', 'The connection was lost');
    return this.link.ask(name, payload, ANSWER_TIMEOUT_MS);
  }

  private async connect(): Promise<void> {
    const generation = ++this.generation;
    this.cancelRetry = null;
    this.gateway = null;
    this.enter({ status: 'connecting', attempt: this.attempt });
    try {
      const token = await this.options.tokens.token(this.needsFreshToken);
      if (generation !== this.generation) return;
      const gateway = await this.gateways.next(token);
      if (generation !== this.generation) return;
      this.gateway = gateway;
      const link = await this.options.openLink(
        { ...gateway, token, deviceId: this.options.deviceId },
        { event: (event) => this.take(event, generation), ended: () => this.ended(generation) },
        OPEN_TIMEOUT_MS,
      );
      if (generation !== this.generation) return link.close();
      this.opened(link);
    } catch (cause) {
      if (generation === this.generation) this.notOpened(toParleyError(cause));
    }
  }

  private opened(link: Link): void {
    this.link = link;
    this.gateways.reached();
    this.closing = null;
    this.needsFreshToken = false;
    this.refusedTokens = 0;
    this.connectedAtMs = this.options.clock.now();
    this.scheduleHeartbeat();
    this.enter({ status: 'connected' });
  }

  private notOpened(error: ParleyError): void {
    if (error.status === 401) {
      // A token function that goes on giving what the server refuses must not be asked for ever.
      if (error.code === 'session_revoked' || !isTokenCode(error.code) || ++this.refusedTokens > REFUSED_TOKENS_MAX) {
        return this.close(error);
      }
      this.needsFreshToken = true;
    } else if (!error.retryable && error.status >= 400) {
      return this.close(error);
    }
    // A gateway that is not there or cannot take anybody; of a refused token another one thinks the same.
    const isElsewhereBetter = error.status === 0 || error.status >= 500;
    if (this.gateway && isElsewhereBetter) this.gateways.passOver(this.gateway);
    this.retry(error, error.retryAfterMs ?? 0);
  }

  /** Waits the longer of the back-off and `atLeastMs`. */
  private retry(error: ParleyError, atLeastMs: number): void {
    const { random } = this.options;
    const waitMs = Math.max(atLeastMs, backOffMs(this.attempt, RECONNECT_FIRST_MS, RECONNECT_MS_MAX, random));
    this.attempt++;
    this.retryAfter(error, waitMs);
  }

  private retryAfter(error: ParleyError, waitMs: number): void {
    this.drop();
    const { clock } = this.options;
    this.cancelRetry = clock.after(waitMs, () => void this.connect());
    this.enter({ status: 'waiting', attempt: this.attempt, retryAtMs: clock.now() + waitMs, error });
  }

  private take(event: ServerEvent, generation: number): void {
    if (generation !== this.generation) return;
    if (event.name === 'closing') this.closing = event.payload;
    else if (event.name === 'token_expiring') void this.renew(generation);
    this.options.onEvent(event);
  }

  private ended(generation: number): void {
    if (generation !== this.generation) return;
    this.generation++;
    const { closing } = this;
    if (this.options.clock.now() - this.connectedAtMs >= STABLE_MS) this.attempt = 0;
    if (closing === null) return this.retry(new ParleyError('network', 'The connection was lost'), 0);
    const error = new ParleyError(codeOf(closing), `The server closed the connection: ${closing.code}`, {
      retryable: closing.reconnect !== 'never',
    });
    if (closing.reconnect === 'never') return this.close(error);
    if (closing.reconnect === 'with_new_token') this.needsFreshToken = true;
    if (closing.code === 'draining' && this.gateway) this.gateways.passOver(this.gateway);
    if (closing.url !== undefined) this.gateways.suggest(closing.url);
    // The server chose the time so that not all come at once; only one that keeps closing is given more.
    if (this.attempt === 0) {
      this.attempt++;
      return this.retryAfter(error, closing.afterMs);
    }
    this.retry(error, closing.afterMs);
  }

  private drop(): void {
    this.cancelHeartbeat?.();
    this.cancelRenewal?.();
    this.cancelHeartbeat = this.cancelRenewal = null;
    this.closing = null;
    this.link?.close();
    this.link = null;
  }

  private scheduleHeartbeat(): void {
    this.cancelHeartbeat?.();
    this.cancelHeartbeat = this.options.clock.after(HEARTBEAT_MS, () => void this.beat(ANSWER_TIMEOUT_MS));
  }

  /** A connection that does not answer is given up: the network may swallow everything and say nothing. */
  private async beat(timeoutMs: number): Promise<void> {
    const { link, generation } = this;
    if (!link) return;
    this.scheduleHeartbeat();
    try {
      await link.ask('heartbeat', { active: this.isActive }, timeoutMs);
    } catch (cause) {
      if (generation === this.generation && toParleyError(cause).code === 'timeout') this.ended(generation);
    }
  }

  /** Gives the open connection a fresh token. If that fails until the end, the server closes with `with_new_token`. */
  private async renew(generation: number): Promise<void> {
    try {
      const token = await this.options.tokens.token(true);
      if (generation === this.generation) await this.link?.ask('authenticate', { token }, ANSWER_TIMEOUT_MS);
    } catch (cause) {
      const { retryable } = toParleyError(cause);
      if (generation !== this.generation || !retryable) return;
      this.cancelRenewal = this.options.clock.after(RENEW_RETRY_MS, () => void this.renew(generation));
    }
  }

  private enter(state: ConnectionState): void {
    this.state = state;
    this.options.onState(state);
  }
}

function isTokenCode(code: ParleyError['code']): boolean {
  return code === 'token_expired' || code === 'unauthenticated';
}

function codeOf({ code }: Closing): ErrorCode | 'network' {
  if (code === 'token_expired' || code === 'session_revoked' || code === 'rate_limited') return code;
  return 'network';
}
