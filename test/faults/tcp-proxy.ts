import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { DelayedFlow } from './delayed-flow.js';
import { FaultyDirection } from './faulty-direction.js';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface ProxyOptions {
  /** A connection over which a client sends this, within one packet, is marked; `muteMarked` is about those. */
  readonly mark?: string;
}

interface ProxiedConnection {
  /** Resets both ends. */
  end(): void;
  /** Nothing reaches the client any more, and the connection stays. */
  mute(): void;
  isMarked: boolean;
}

/** Where a server listens whose address is known as a URL with a port. */
export function targetOf(url: string): Target {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/**
 * A TCP proxy on 127.0.0.1 in front of a real engine or server, to make the network between bad and then good again.
 * What a fault holds back is not lost, just as TCP loses nothing on a connection that stays: it arrives when the fault
 * is over, in its order. Faults apply to connections that are open already as well as to new ones.
 */
export class TcpProxy {
  readonly toServer = new FaultyDirection();
  readonly toClient = new FaultyDirection();
  readonly #mark: string | undefined;
  readonly #connections = new Set<ProxiedConnection>();
  #target: Target;
  #server: Server;
  #port: number;
  #acceptedCount = 0;

  private constructor(target: Target, server: Server, { mark }: ProxyOptions) {
    this.#target = target;
    this.#mark = mark;
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#connect(client));
  }

  static async start(target: Target, options: ProxyOptions = {}): Promise<TcpProxy> {
    return new TcpProxy(target, await listen(0), options);
  }

  readonly host = '127.0.0.1';

  get port(): number {
    return this.#port;
  }

  /** Of HTTP servers behind it. */
  get url(): string {
    return `http://${this.host}:${this.#port}`;
  }

  /** Connections that were taken since the start. */
  get acceptedCount(): number {
    return this.#acceptedCount;
  }

  /** How many clients are connected through this proxy. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Resets every connection, at both ends; new ones are let through. */
  cut(): void {
    for (const connection of this.#connections) connection.end();
  }

  /** A black hole in both directions. */
  silence(): void {
    this.toServer.silence();
    this.toClient.silence();
  }

  /** What the server says to the marked connections of now is lost for good. @returns how many they are */
  muteMarked(): number {
    const marked = [...this.#connections].filter(({ isMarked }) => isMarked);
    for (const connection of marked) connection.mute();
    return marked.length;
  }

  /** Where new connections go from now on. */
  aimAt(target: Target): void {
    this.#target = target;
  }

  /** Refuses new connections; those that are open stay. */
  refuse(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Ends every fault. */
  async heal(): Promise<void> {
    this.toServer.heal();
    this.toClient.heal();
    if (this.#server.listening) return;
    this.#server = await listen(this.#port);
    this.#server.on('connection', (client) => this.#connect(client));
  }

  /** Ends every connection and the proxy itself. */
  async close(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connect(client: Socket): void {
    this.#acceptedCount++;
    const server = createConnection({ ...this.#target, allowHalfOpen: true });
    const up = new DelayedFlow(client, server, this.toServer);
    const down = new DelayedFlow(server, client, this.toClient);
    const end = (): void => {
      this.#connections.delete(connection);
      up.stop();
      down.stop();
      client.resetAndDestroy();
      server.resetAndDestroy();
    };
    const connection: ProxiedConnection = { end, mute: () => down.stop(), isMarked: false };
    this.#connections.add(connection);
    const mark = this.#mark;
    if (mark !== undefined) client.on('data', (bytes: Buffer) => (connection.isMarked ||= bytes.includes(mark)));
    for (const [socket, flow] of [
      [client, up],
      [server, down],
    ] as const) {
      socket.setNoDelay(true);
      // An end that breaks breaks the other one; through a black hole not even that is heard.
      socket.on('error', () => void flow.untilOpen().then(end, () => undefined));
      socket.on('close', () => {
        if (client.closed && server.closed) this.#connections.delete(connection);
      });
    }
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true });
  server.listen({ host: '127.0.0.1', port });
  await once(server, 'listening');
  return server;
}
