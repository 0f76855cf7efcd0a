import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Method, path and the beginning of the query: what decides where a connection goes. */
const HEAD_BYTES_MAX = 256;

interface Backends {
  /** Ports of processes with the REST door. */
  readonly apis: readonly number[];
  /** Ports of processes with the socket door. */
  readonly gateways: readonly number[];
}

/**
 * One address for a whole cluster, as its load balancer is: sockets go to the gateways in turn, the rest to the apis. A
 * connection is let through as it is from its first line on. Long polling, whose requests must meet one process, goes to
 * the first gateway.
 */
export class FrontDoor {
  private readonly ends = new Set<() => void>();
  private nextGateway = 0;
  private nextApi = 0;

  private constructor(
    private readonly server: Server,
    private readonly backends: Backends,
  ) {
    server.on('connection', (client) => this.receive(client));
  }

  static async open(backends: Backends): Promise<FrontDoor> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FrontDoor(server, backends);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const end of this.ends) end();
    this.server.close();
    await once(this.server, 'close');
  }

  private receive(client: Socket): void {
    let head = Buffer.alloc(0);
    const hear = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      if (head.length < HEAD_BYTES_MAX && !head.includes('\n')) return;
      client.pause();
      client.off('data', hear);
      this.join(client, head);
    };
    client.on('data', hear);
    client.on('error', () => client.destroy());
    this.hold(client, () => client.destroy());
  }

  private join(client: Socket, head: Buffer): void {
    const backend = connect({ port: this.portFor(head), host: '127.0.0.1', allowHalfOpen: true });
    backend.setNoDelay(true);
    client.setNoDelay(true);
    client.on('close', () => backend.destroy());
    backend.on('error', () => client.destroy());
    backend.on('close', () => client.destroy());
    backend.write(head);
    client.pipe(backend);
    backend.pipe(client);
  }

  private portFor(head: Buffer): number {
    const line = head.toString('latin1');
    const { apis, gateways } = this.backends;
    if (!/^\w+ \/socket\.io/.test(line)) return apis[this.nextApi++ % apis.length] as number;
    const isPolling = /[?&](transport=polling|sid=)/.test(line);
    return gateways[isPolling ? 0 : this.nextGateway++ % gateways.length] as number;
  }

  private hold(client: Socket, end: () => void): void {
    this.ends.add(end);
    client.on('close', () => this.ends.delete(end));
  }
}
