import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { endOfRespValue } from './resp-value.js';

/**
 * Stands before a Redis and leaves out what is published through it, as a network between servers may: both ends stay
 * connected and notice nothing, for nobody answers what is published.
 */
export class LossyRedis {
  /** What was left out, for each subscriber that would have had it. */
  lost = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
    private readonly isLost: (message: Buffer) => boolean,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  /** @param isLost of what a subscriber is told, whether it does not arrive */
  static async start(targetUrl: string, isLost: (message: Buffer) => boolean): Promise<LossyRedis> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LossyRedis(server, new URL(targetUrl), isLost);
  }

  /** The Redis' address, through here. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket): void {
    const redis = connect({ host: this.target.hostname, port: Number(this.target.port) });
    let unread = Buffer.alloc(0);
    redis.on('data', (bytes: Buffer) => {
      unread = Buffer.concat([unread, bytes]);
      for (let end = endOfRespValue(unread); end !== null; end = endOfRespValue(unread)) {
        const value = unread.subarray(0, end);
        unread = unread.subarray(end);
        if (isPublished(value) && this.isLost(value)) this.lost += 1;
        else client.write(value);
      }
    });
    client.pipe(redis);
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      this.sockets.add(socket);
    }
  }
}

/** A message to a subscriber: an array or a push of three. */
function isPublished(value: Buffer): boolean {
  return /^[*>]3\r\n\$\d+\r\ns?message\r\n/.test(value.subarray(0, 32).toString('latin1'));
}
