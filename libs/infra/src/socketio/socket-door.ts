import type { DomainError } from '@parley/domain';
import type { SocketLink } from './socket-link.js';

export interface HandshakeRequest {
  /** What the client sent; nothing of it has been checked. */
  auth: unknown;
  address: string;
}

/** One valid event on its way to its handler. */
export interface ReceivedEvent<Session, Payload = unknown> {
  readonly connection: Session;
  readonly payload: Payload;
  /** Left by the exception filter of the handlers: what was thrown. */
  failure: unknown;
}

/** What stands behind the sockets: who may come in, and who answers for them from then on. */
export interface SocketDoor<Session, Ticket> {
  /** @throws DomainError that the client gets as `connect_error` */
  admit(handshake: HandshakeRequest): Promise<Ticket>;
  /** A handshake was refused because its address has too many connections. */
  addressRefused(): void;
  /** The admitted client is connected. It may have been closed again when this returns. */
  connected(ticket: Ticket, link: SocketLink): Session;
  disconnected(session: Session): void;
  /** Counts one event of the client, valid or not. A refusal is its answer. */
  take(session: Session, event: string): DomainError | null;
  /** An event that `take` let pass was answered: `ok` or the code of its refusal. */
  answered(session: Session, event: string, outcome: string): void;
}
