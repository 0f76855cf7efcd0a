import { Inject, Injectable } from '@nestjs/common';
import { HandshakeSchema, toFieldErrors, type Handshake } from '@parley/contracts';
import {
  DomainError,
  DoorMetrics,
  SessionRegistry,
  SessionRevocations,
  TokenVerifier,
  type Principal,
} from '@parley/domain';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { FollowedRooms } from '../live/followed-rooms.js';
import { ConnectionCloser } from './connection-closer.js';
import { ConnectionRegistry } from './connection-registry.js';
import { Connection, EVENTS_IN_FLIGHT_MAX } from './connection.js';
import type { Link } from './link.js';

/** An admitted client that is not connected yet. */
export interface Ticket {
  principal: Principal;
  deviceId: string;
}

const TOO_MANY_EVENTS_RETRY_MS = 1_000;
const TOO_MANY_SOCKETS_RETRY_MS = 10_000;

/** Sends have limits of their own, by user and conversation, behind which a retry still finds its answer. */
const LIMITED_ELSEWHERE = 'send_message';

/** What only a person does: it ends idleness as a heartbeat that says so. */
const ACTIVITY: ReadonlySet<string> = new Set([
  'send_message',
  'edit_message',
  'delete_message',
  'react',
  'unreact',
  'read_receipt',
  'typing',
]);

/** Who may open a socket, and how many events it may send. What the socket adapter asks. */
@Injectable()
export class SocketAdmission {
  private accepting = true;

  constructor(
    @Inject(TokenVerifier) private readonly verifier: TokenVerifier,
    @Inject(SessionRevocations) private readonly revocations: SessionRevocations,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(ConnectionCloser) private readonly closer: ConnectionCloser,
    @Inject(FollowedRooms) private readonly rooms: FollowedRooms,
    @Inject(SessionRegistry) private readonly sessions: SessionRegistry,
    @Inject(DoorMetrics) private readonly metrics: DoorMetrics,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** From now on new sockets are sent elsewhere. */
  stopAccepting(): void {
    this.accepting = false;
  }

  async admit({ auth }: { auth: unknown }): Promise<Ticket> {
    if (!this.accepting) throw new DomainError('overloaded', 'This server is shutting down', { retryAfterMs: 1_000 });
    // Who it is comes first: what is wrong with the rest is nobody's business whom nobody knows.
    const token = tokenOf(auth);
    const principal = this.verifier.verifyCached(token) ?? (await this.verifier.verify(token));
    const { deviceId } = readHandshake(auth);
    if (this.isCrowded(principal.userId, await this.devicesElsewhere(principal.userId))) {
      this.metrics.rateLimited('sockets_per_user');
      throw new DomainError('rate_limited', 'Too many sockets of this user', {
        retryAfterMs: TOO_MANY_SOCKETS_RETRY_MS,
      });
    }
    await this.rooms.enter(principal.userId);
    return { principal, deviceId };
  }

  addressRefused(): void {
    this.metrics.rateLimited('sockets_per_address');
  }

  connected({ principal, deviceId }: Ticket, link: Link): Connection {
    const crowded = this.isCrowded(principal.userId);
    const connection = new Connection(link, principal, deviceId, this.settings.now());
    link.onOverflow = () => this.overflow(connection);
    this.registry.add(connection);
    // What was true when the token was checked may have changed while the client was being connected.
    if (principal.sessionId !== null && this.revocations.isRevoked(principal.sessionId)) {
      this.closer.close(connection, 'session_revoked', 'never');
    } else if (crowded) {
      this.closer.close(connection, 'rate_limited', 'never');
    } else if (!this.accepting) {
      this.closer.close(connection, 'draining', 'now');
    }
    return connection;
  }

  disconnected(connection: Connection): void {
    this.registry.remove(connection);
  }

  take(connection: Connection, event: string): DomainError | null {
    const now = this.settings.now();
    connection.lastEventAt = now;
    if (ACTIVITY.has(event)) connection.lastActiveAt = now;
    if (connection.eventsInFlight >= EVENTS_IN_FLIGHT_MAX) {
      return new DomainError('overloaded', 'Too many events wait for an answer', { retryAfterMs: 100 });
    }
    if (this.settings.rateLimited && event !== LIMITED_ELSEWHERE) {
      const budgeted = connection.budget.take(now, this.settings.eventsPerSecondMax);
      if (budgeted !== 'allowed') return this.overBudget(connection, event, budgeted === 'persistent');
    }
    connection.eventsInFlight++;
    return null;
  }

  answered(connection: Connection, event: string, outcome: string): void {
    connection.eventsInFlight--;
    this.metrics.socketEvent(event, outcome);
  }

  private overBudget(connection: Connection, event: string, persistent: boolean): DomainError {
    this.metrics.rateLimited('socket_events');
    this.metrics.socketEvent(event, 'rate_limited');
    // Closed after this event's own answer is on its way.
    if (persistent) queueMicrotask(() => this.closer.close(connection, 'rate_limited', 'now'));
    return new DomainError('rate_limited', 'Too many events', { retryAfterMs: TOO_MANY_EVENTS_RETRY_MS });
  }

  private isCrowded(userId: string, elsewhere = 0): boolean {
    if (!this.settings.rateLimited) return false;
    return this.registry.ofUser(userId).length + elsewhere >= this.settings.socketsPerUserMax;
  }

  /** Each has a socket at least. None while nobody can say: a limit is no reason to turn everybody away. */
  private async devicesElsewhere(userId: string): Promise<number> {
    if (!this.settings.rateLimited) return 0;
    const known = (await this.sessions.ofUsers([userId]))?.get(userId) ?? [];
    return known.filter(({ gatewayId, connected }) => connected && gatewayId !== this.settings.gatewayId).length;
  }

  private overflow(connection: Connection): void {
    if (connection.closing) return;
    this.metrics.slowConsumer();
    this.closer.close(connection, 'slow_consumer', 'now');
  }
}

function tokenOf(auth: unknown): string {
  const token = (auth as { token?: unknown } | null | undefined)?.token;
  if (typeof token === 'string' && token !== '') return token;
  throw new DomainError('unauthenticated', 'The handshake has no token');
}

function readHandshake(auth: unknown): Handshake {
  const parsed = HandshakeSchema.safeParse(auth);
  if (parsed.success) return parsed.data;
  throw new DomainError('validation_failed', undefined, { errors: toFieldErrors(parsed.error) });
}
