import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { DelayedFlow } from './delayed-flow.js';
import { FaultyDirection } from './faulty-direction.js';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * A TCP proxy on 127.0.0.1 in front of a real engine or server, to make the network between bad and then good again.
 * What a fault holds back is not lost, just as TCP loses nothing on a connection that stays: it arrives when the fault
 * is over, in its order. Faults apply to connections that are open already as well as to new ones.
 */
export class TcpProxy {
  readonly toServer = new FaultyDirection();
  readonly toClient = new FaultyDirection();
  readonly #target: Target;
  readonly #connections = new Set<() => void>();
  #server: Server;
  #port: number;

  private constructor(target: Target, server: Server) {
    this.#target = target;
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#connect(client));
  }

  static async start(target: Target): Promise<TcpProxy> {
    return new TcpProxy(target, await listen(0));
  }

  readonly host = '127.0.0.1';

  get port(): number {
    return this.#port;
  }

  /** How many clients are connected through this proxy. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Resets every connection, at both ends; new ones are let through. */
  cut(): void {
    for (const end of this.#connections) end();
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
    const server = createConnection({ ...this.#target, allowHalfOpen: true });
    const up = new DelayedFlow(client, server, this.toServer);
    const down = new DelayedFlow(server, client, this.toClient);
    const end = (): void => {
      this.#connections.delete(end);
      up.stop();
      down.stop();
      client.resetAndDestroy();
      server.resetAndDestroy();
    };
    this.#connections.add(end);
    for (const [socket, flow] of [
      [client, up],
      [server, down],
    ] as const) {
      socket.setNoDelay(true);
      // An end that breaks breaks the other one; through a black hole not even that is heard.
      socket.on('error', () => void flow.untilOpen().then(end, () => undefined));
      socket.on('close', () => {
        if (client.closed && server.closed) this.#connections.delete(end);
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
