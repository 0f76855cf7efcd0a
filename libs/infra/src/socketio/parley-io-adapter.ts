import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { WsMessageHandler } from '@nestjs/common';
import { AbstractWsAdapter } from '@nestjs/websockets';
import { PAYLOAD_BYTES_MAX } from '@parley/contracts';
import { addressKey, DomainError } from '@parley/domain';
import { Server, type Socket } from 'socket.io';
import { Encoder } from 'socket.io-parser';
import { clientAddressReader, type TrustProxy } from './client-address.js';
import { EventDispatcher, type EventHandler } from './event-dispatcher.js';
import { originPolicy, type OriginOptions } from './origin-policy.js';
import { PACKET, PacketDecoder, type IncomingPacket } from './packet-decoder.js';
import type { SocketDoor } from './socket-door.js';
import { toSocketError } from './socket-error.js';
import { SocketLink } from './socket-link.js';
import { isSocketUpgrade, SOCKET_PATH } from './socket-upgrade.js';

export interface SocketServerOptions extends OriginOptions {
  trustProxy: TrustProxy;
  /** Connections from one address; null lifts the limit. */
  socketsPerAddressMax: number | null;
  bufferBytesMax: number;
  /** How long a client that was let in by the transport may take to present a valid token. */
  connectTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Above the limit for an address a client is still told why; from this multiple on it is not let in at all. */
const REFUSED_SILENTLY_FACTOR = 2;
const HANDSHAKES_PER_CONNECTION_MAX = 3;

/** What this adapter keeps on an engine.io connection. */
interface Caller {
  address: string;
  addressKey: string;
  handshakes: number;
}

/** Nest binds its handlers to this once, instead of once for each client. */
const ALL_CLIENTS = Object.freeze({});

/**
 * Nest's gateways on Socket.IO, for many sockets: all share one map of handlers and one dispatch for each packet, where the
 * stock adapter subscribes every handler on every client (87 KiB a connection and 35 µs a send, measured).
 *
 * A handler gets `ReceivedEvent` as its payload. The session made by the door is in it; Nest's client argument is empty.
 */
export class ParleyIoAdapter<Session, Ticket> extends AbstractWsAdapter {
  private readonly dispatcher: EventDispatcher<Session>;
  private readonly callers = new WeakMap<object, Caller>();
  private readonly connectionsByAddress = new Map<string, number>();
  private readonly addressOf: (request: IncomingMessage) => string;
  private server: Server | null = null;

  constructor(
    httpServer: HttpServer,
    private readonly door: SocketDoor<Session, Ticket>,
    private readonly options: SocketServerOptions,
  ) {
    super(httpServer);
    this.dispatcher = new EventDispatcher(door);
    this.addressOf = clientAddressReader(options.trustProxy);
  }

  override create(): Server {
    this.server ??= this.open();
    return this.server;
  }

  override bindClientConnect(_server: Server, bind: (client: object) => void): void {
    bind(ALL_CLIENTS);
  }

  override bindClientDisconnect(): void {}

  override bindMessageHandlers(_client: unknown, handlers: WsMessageHandler[]): void {
    for (const { message, callback } of handlers) this.dispatcher.register(message, callback as EventHandler<Session>);
  }

  /** Cuts what is still connected. The HTTP server belongs to the application, which closes it. */
  override async close(server: Server): Promise<void> {
    server.disconnectSockets(true);
    server.engine.close();
  }

  private open(): Server {
    const mayOpen = originPolicy(this.options);
    const server = new Server(this.httpServer as HttpServer, {
      path: SOCKET_PATH,
      serveClient: false,
      transports: ['websocket', 'polling'],
      // A frame up to twice the limit is read, so that it can be answered `payload_too_large`.
      maxHttpBufferSize: 2 * PAYLOAD_BYTES_MAX,
      perMessageDeflate: false,
      connectTimeout: this.options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      parser: { Encoder, Decoder: PacketDecoder },
      cors: {
        origin: this.options.allowedOrigins.includes('*') ? '*' : [...this.options.allowedOrigins],
        credentials: false,
      },
      allowRequest: (request, decide) => {
        if (!mayOpen(request)) decide('origin not allowed', false);
        else if (this.isCrowded(this.addressOf(request), REFUSED_SILENTLY_FACTOR))
          decide('too many connections', false);
        else decide(null, true);
      },
    });
    this.forgetUpgradeResponses(server);
    server.engine.on('connection', (connection: CallerConnection) => this.count(connection));
    server.use((socket, next) => {
      this.admit(socket).then(
        () => next(),
        (error: unknown) => next(asConnectError(error)),
      );
    });
    server.on('connection', (socket) => this.connect(socket));
    return server;
  }

  /** The stand-in response of an upgrade keeps the request alive through a listener for as long as the socket lives. */
  private forgetUpgradeResponses(server: Server): void {
    const responses = new WeakMap<object, { req: unknown }>();
    server.engine.use((request: IncomingMessage, response: { req: unknown }, next: () => void) => {
      if (isSocketUpgrade(request)) responses.set(request, response);
      next();
    });
    server.engine.on('connection', (connection: CallerConnection) => {
      const response = responses.get(connection.request);
      if (response) response.req = null;
    });
  }

  private count(connection: CallerConnection): void {
    const address = this.addressOf(connection.request);
    const key = addressKey(address);
    this.callers.set(connection, { address, addressKey: key, handshakes: 0 });
    this.connectionsByAddress.set(key, (this.connectionsByAddress.get(key) ?? 0) + 1);
    connection.once('close', () => {
      const left = (this.connectionsByAddress.get(key) ?? 1) - 1;
      if (left > 0) this.connectionsByAddress.set(key, left);
      else this.connectionsByAddress.delete(key);
    });
  }

  private isCrowded(address: string, factor: number): boolean {
    const { socketsPerAddressMax } = this.options;
    if (socketsPerAddressMax === null) return false;
    // A new connection is not counted yet when the transport asks, but is when its handshake is judged.
    const others = this.connectionsByAddress.get(addressKey(address)) ?? 0;
    return others > socketsPerAddressMax * factor;
  }

  private async admit(socket: Socket): Promise<void> {
    // Socket.IO would keep a set with the own id for each socket; nothing here sends to rooms.
    socket.join = () => {};
    const caller = this.callers.get(socket.conn);
    if (!caller || ++caller.handshakes > HANDSHAKES_PER_CONNECTION_MAX) {
      socket.conn.close();
      throw new DomainError('rate_limited', 'Too many handshakes', { retryAfterMs: 1_000 });
    }
    if (this.isCrowded(caller.address, 1)) {
      this.door.addressRefused();
      throw new DomainError('rate_limited', 'Too many sockets from this address', { retryAfterMs: 10_000 });
    }
    const ticket = await this.door.admit({ auth: socket.handshake.auth, address: caller.address });
    (socket.data as { ticket?: Ticket }).ticket = ticket;
  }

  private connect(socket: Socket): void {
    const data = socket.data as { ticket?: Ticket };
    const link = new SocketLink(socket, this.callers.get(socket.conn)?.address ?? '', this.options);
    const session = this.door.connected(data.ticket as Ticket, link);
    delete data.ticket;
    link.forgetHandshake();
    this.takeEvents(socket, session, link);
    socket.once('disconnect', () => {
      this.door.disconnected(session);
      // Without its one namespace a connection is of no use, and nothing else would end it.
      socket.conn.close();
    });
    if (!socket.connected) this.door.disconnected(session);
  }

  /** Events go from the decoder to the dispatch at once, past Socket.IO's ticks and listeners; the rest goes its way. */
  private takeEvents(socket: Socket, session: Session, link: SocketLink): void {
    const client = socket.client as unknown as { decoder: PacketDecoder; ondecoded(packet: IncomingPacket): void };
    client.decoder.on('decoded', (packet) => {
      const isEvent = packet.type === PACKET.event || packet.type === PACKET.binaryEvent;
      if (isEvent && packet.nsp === '/' && socket.connected) this.dispatcher.receive(session, link, packet);
      else client.ondecoded(packet);
    });
  }
}

interface CallerConnection {
  request: IncomingMessage;
  once(event: 'close', listener: () => void): void;
}

function asConnectError(error: unknown): Error {
  const refusal = error instanceof DomainError ? error : new DomainError('internal');
  return Object.assign(new Error(refusal.code), { data: toSocketError(refusal) });
}
