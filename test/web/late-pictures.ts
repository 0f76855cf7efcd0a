import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const isThumbnail = ({ url = '' }: IncomingMessage): boolean => /\/thumbnail(\?|$)/.test(url);

/**
 * A server as it is to a browser while its pictures are made slowly: thumbnails are refused a few times, everything else
 * is let through. Between server and browser, since a browser that is told to answer by itself keeps no pictures.
 */
export class LatePictures {
  /** Which thumbnails were asked for, each time. */
  readonly asked: string[] = [];
  private readonly sockets = new Set<Duplex>();
  private readonly server = createServer((incoming, answer) => this.receive(incoming, answer));

  private constructor(
    private readonly target: URL,
    private readonly refusals: number,
  ) {
    this.server.on('connection', (socket: Socket) => this.hold(socket));
    this.server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.join(incoming, socket, head),
    );
  }

  static async of(serverUrl: string, refusals: number): Promise<LatePictures> {
    const proxy = new LatePictures(new URL(serverUrl), refusals);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private receive(incoming: IncomingMessage, answer: ServerResponse): void {
    if (isThumbnail(incoming) && this.asked.push(incoming.url ?? '') <= this.refusals) {
      answer.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '2' });
      answer.end(JSON.stringify({ status: 503, code: 'overloaded', retryable: true }));
      return;
    }
    const { hostname, port } = this.target;
    const { method, url, headers } = incoming;
    const outgoing = request({ hostname, port, method, path: url, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      given.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    incoming.pipe(outgoing);
  }

  /** As it is from its first line on. */
  private join(incoming: IncomingMessage, client: Duplex, head: Buffer): void {
    const backend = connect(Number(this.target.port), this.target.hostname);
    this.hold(backend);
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
      lines.push(`${incoming.rawHeaders[i]}: ${incoming.rawHeaders[i + 1]}`);
    }
    backend.write(`${lines.join('\r\n')}\r\n\r\n`);
    backend.write(head);
    client.pipe(backend).pipe(client);
    client.on('close', () => backend.destroy());
    backend.on('close', () => client.destroy());
  }

  private hold(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
  }
}
