import { connect as dial, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What the proxy does with bytes that pass from now on. */
export type ProxyMode = 'pass' | 'black-hole' | 'refuse';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A TCP proxy that can cut, delay, swallow and refuse; it knows nothing of what passes through it. */
export class FaultProxy {
  mode: ProxyMode = 'pass';
  /** Added to each chunk, in either direction; chunks keep their order. */
  delayMs = 0;
  /** Connections that were taken since the start. */
  accepted = 0;
  private readonly pairs = new Set<Pair>();

  private constructor(
    private readonly listener: Server,
    private targetPort: number,
  ) {}

  static async start(targetPort: number): Promise<FaultProxy> {
    const listener = createServer();
    const proxy = new FaultProxy(listener, targetPort);
    listener.on('connection', (client) => proxy.take(client));
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  get open(): number {
    return this.pairs.size;
  }

  /** Where new connections go from now on. */
  aimAt(port: number): void {
    this.targetPort = port;
  }

  /** Ends every connection without a word. */
  cut(): void {
    for (const { client, server } of this.pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.pairs.clear();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((done) => this.listener.close(() => done()));
  }

  private take(client: Socket): void {
    client.on('error', () => {});
    if (this.mode === 'refuse') return void client.resetAndDestroy();
    this.accepted++;
    const server = dial(this.targetPort, '127.0.0.1');
    const pair = { client, server };
    this.pairs.add(pair);
    server.on('error', () => client.destroy());
    this.pipe(client, server, pair);
    this.pipe(server, client, pair);
  }

  private pipe(from: Socket, to: Socket, pair: Pair): void {
    from.on('data', (chunk: Buffer) => {
      if (this.mode === 'black-hole') return;
      if (this.delayMs === 0) to.write(chunk);
      else setTimeout(() => to.writable && to.write(chunk), this.delayMs);
    });
    from.on('close', () => {
      to.destroy();
      this.pairs.delete(pair);
    });
  }
}
