import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';

/** A websocket by hand: it sends whatever text it is told, and can stop reading, which no client library can. */
export class RawSocket {
  readonly texts: string[] = [];
  closed = false;
  private received = Buffer.alloc(0);
  private waiting: (() => void)[] = [];

  private constructor(private readonly tcp: Socket) {
    tcp.on('data', (chunk) => this.take(chunk));
    tcp.on('close', () => this.end());
    tcp.on('error', () => this.end());
  }

  static open(url: string, headers: Record<string, string> = {}): Promise<RawSocket> {
    return new Promise((resolve, reject) => {
      const upgrade = request(`${url}/socket.io/?EIO=4&transport=websocket`, {
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': randomBytes(16).toString('base64'),
          ...headers,
        },
      });
      upgrade.on('upgrade', (_response, socket, head) => {
        const raw = new RawSocket(socket as Socket);
        if (head.length > 0) raw.take(head);
        resolve(raw);
      });
      upgrade.on('response', (response) => reject(new Error(`refused with ${response.statusCode}`)));
      upgrade.on('error', reject);
      upgrade.end();
    });
  }

  /** Opens a Socket.IO connection and waits for the server's yes or no. */
  static async connect(url: string, auth: object): Promise<RawSocket> {
    const raw = await RawSocket.open(url);
    await raw.next((text) => text.startsWith('0'));
    raw.send(`40${JSON.stringify(auth)}`);
    await raw.next((text) => text.startsWith('40') || text.startsWith('44'));
    return raw;
  }

  send(text: string): void {
    this.tcp.write(frame(0x81, Buffer.from(text)));
  }

  sendBinary(bytes: Buffer): void {
    this.tcp.write(frame(0x82, bytes));
  }

  pause(): void {
    this.tcp.pause();
  }

  resume(): void {
    this.tcp.resume();
  }

  destroy(): void {
    this.tcp.destroy();
  }

  /** The first text, received already or yet to come, that fits. */
  async next(fits: (text: string) => boolean, timeoutMs = 5_000): Promise<string> {
    return this.until(() => this.texts.find(fits), timeoutMs);
  }

  async untilClosed(timeoutMs = 5_000): Promise<void> {
    await this.until(() => this.closed || undefined, timeoutMs);
  }

  /** The answer to the event that was sent with this id. */
  async answer(id: number): Promise<Record<string, unknown>> {
    const text = await this.next((candidate) => candidate.startsWith(`43${id}[`));
    return (JSON.parse(text.slice(text.indexOf('['))) as [Record<string, unknown>])[0];
  }

  private until<T>(look: () => T | undefined, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`nothing fitting in ${timeoutMs} ms: ${this.summary()}`)),
        timeoutMs,
      );
      const check = (): void => {
        const found = look();
        if (found === undefined) {
          this.waiting.push(check);
          return;
        }
        clearTimeout(timer);
        resolve(found);
      };
      check();
    });
  }

  private summary(): string {
    return `${this.closed ? 'closed, ' : ''}${this.texts
      .slice(-5)
      .map((text) => text.slice(0, 200))
      .join(' | ')}`;
  }

  private end(): void {
    this.closed = true;
    this.wake();
  }

  private wake(): void {
    for (const check of this.waiting.splice(0)) check();
  }

  private take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (;;) {
      const { received } = this;
      if (received.length < 2) break;
      let size = (received[1] as number) & 0x7f;
      let head = 2;
      if (size === 126) {
        if (received.length < 4) break;
        size = received.readUInt16BE(2);
        head = 4;
      } else if (size === 127) {
        if (received.length < 10) break;
        size = Number(received.readBigUInt64BE(2));
        head = 10;
      }
      if (received.length < head + size) break;
      const opcode = (received[0] as number) & 0x0f;
      const body = received.subarray(head, head + size);
      if (opcode === 1) this.text(body.toString());
      if (opcode === 8) this.tcp.end();
      this.received = received.subarray(head + size);
    }
    this.wake();
  }

  private text(text: string): void {
    if (text === '2') this.send('3');
    else this.texts.push(text);
  }
}

function frame(opcode: number, body: Buffer): Buffer {
  const mask = randomBytes(4);
  const head = body.length < 126 ? Buffer.alloc(2) : body.length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = opcode;
  if (head.length === 2) head[1] = 0x80 | body.length;
  else if (head.length === 4) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(body.length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  const masked = Buffer.from(body);
  for (let at = 0; at < masked.length; at++) masked[at] = (masked[at] as number) ^ (mask[at & 3] as number);
  return Buffer.concat([head, mask, masked]);
}
