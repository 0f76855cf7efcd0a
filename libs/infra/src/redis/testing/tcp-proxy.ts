import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

interface Pair {
  client: Socket;
  engine: Socket;
  isSubscriber: boolean;
}

/** Stands between a client and Redis, and can do to connections what networks do. */
export class TcpProxy {
  private readonly pairs = new Set<Pair>();
  private isOpen = true;

  private constructor(private readonly server: Server) {}

  static async before(url: string): Promise<TcpProxy> {
    const engine = new URL(url);
    const server = createServer();
    const proxy = new TcpProxy(server);
    server.on('connection', (client) => proxy.join(client, connect(Number(engine.port), engine.hostname)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return `redis://127.0.0.1:${address.port}`;
  }

  /** Nothing of what Redis says reaches the subscribers of now; their connections stay open. */
  muteSubscribers(): number {
    const subscribers = [...this.pairs].filter(({ isSubscriber }) => isSubscriber);
    for (const { client, engine } of subscribers) {
      engine.unpipe(client);
      engine.resume();
    }
    return subscribers.length;
  }

  /** Ends all connections, and lets none in until `mend`. */
  cut(): void {
    this.isOpen = false;
    for (const { client, engine } of this.pairs) {
      client.destroy();
      engine.destroy();
    }
  }

  mend(): void {
    this.isOpen = true;
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket, engine: Socket): void {
    const pair: Pair = { client, engine, isSubscriber: false };
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        this.pairs.delete(pair);
      });
    }
    if (!this.isOpen) return void client.destroy();
    this.pairs.add(pair);
    client.on('data', (chunk) => {
      pair.isSubscriber ||= chunk.includes('ssubscribe');
    });
    client.pipe(engine);
    engine.pipe(client);
  }
}
