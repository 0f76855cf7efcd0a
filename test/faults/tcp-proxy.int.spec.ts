import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpProxy } from './tcp-proxy.js';

const CONDITION_TIMEOUT_MS = 5_000;
/** Long enough for anything that is not held back to arrive. */
const QUIET_MS = 150;

describe('a proxy of faults', () => {
  let server: Server;
  let proxy: TcpProxy;
  let accepted: Socket[];
  const clients: Client[] = [];

  /** A connection through the proxy that remembers what came back and how it ended. */
  class Client {
    received = '';
    ended: 'in order' | 'broken' | undefined;
    readonly socket: Socket;

    constructor({ host, port } = proxy) {
      this.socket = createConnection({ host, port });
      this.socket.setEncoding('latin1').on('data', (text: string) => (this.received += text));
      this.socket.on('end', () => (this.ended ??= 'in order'));
      this.socket.on('error', () => (this.ended = 'broken'));
      clients.push(this);
    }

    async says(text: string): Promise<void> {
      const before = this.received.length;
      this.socket.write(text);
      await until(() => this.received.length >= before + text.length);
      expect(this.received.slice(before)).toBe(text);
    }
  }

  async function until(condition: () => boolean): Promise<void> {
    const deadline = performance.now() + CONDITION_TIMEOUT_MS;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`This did not become true: ${condition.toString()}`);
      await wait(5);
    }
  }

  async function msFor(action: () => Promise<unknown>): Promise<number> {
    const began = performance.now();
    await action();
    return performance.now() - began;
  }

  beforeEach(async () => {
    accepted = [];
    server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket);
      socket.on('error', () => undefined).pipe(socket);
    });
    server.listen({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    proxy = await TcpProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  });

  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await proxy.close();
    server.close();
    for (const socket of accepted) socket.destroy();
    await once(server, 'close');
  });

  it('carries everything unchanged, and the end of each direction by itself', async () => {
    const client = new Client();
    const text = 'abcdefghij'.repeat(800_000);
    client.socket.end(text);
    await until(() => client.ended === 'in order' && client.received.length === text.length);
    expect(client.received === text).toBe(true);
    await until(() => proxy.connectionCount === 0);
  });

  it('delays one direction by the time it was told, without changing the order', async () => {
    const client = new Client();
    await client.says('before');
    proxy.toServer.delay(200);
    expect(await msFor(() => client.says('there'))).toBeGreaterThanOrEqual(195);
    proxy.toClient.delay(100);
    expect(await msFor(() => client.says('there and back'))).toBeGreaterThanOrEqual(295);
    client.received = '';
    for (let number = 0; number < 50; number += 1) {
      client.socket.write(`${number},`);
      await wait(1);
    }
    const all = Array.from({ length: 50 }, (_, number) => `${number},`).join('');
    // Delayed, not queued up behind one another: fifty of them would take 15 s.
    await until(() => client.received === all);
  });

  it('lets no more through than the rate it was told', async () => {
    const client = new Client();
    proxy.toClient.slowDown(20_000);
    const ms = await msFor(() => client.says('x'.repeat(10_000)));
    expect(ms).toBeGreaterThanOrEqual(450);
    expect(() => proxy.toClient.slowDown(0)).toThrow(RangeError);
  });

  it.each(['toServer', 'toClient'] as const)('silences %s, and delivers what it held when it heals', async (name) => {
    const client = new Client();
    await client.says('before');
    proxy[name].silence();
    client.socket.write('lost?');
    await wait(QUIET_MS);
    expect([client.received, client.ended, proxy.connectionCount]).toEqual(['before', undefined, 1]);
    await proxy.heal();
    await until(() => client.received === 'beforelost?');
  });

  it('keeps even the end of a connection in a black hole', async () => {
    const client = new Client();
    await client.says('before');
    proxy.toClient.silence();
    accepted[0]?.resetAndDestroy();
    await wait(QUIET_MS);
    expect(client.ended).toBeUndefined();
    await proxy.heal();
    await until(() => client.ended === 'broken');
  });

  it('stops reading from a sender whose bytes it cannot pass on', async () => {
    const client = new Client();
    await client.says('before');
    proxy.toServer.silence();
    const megabyte = 1024 * 1024;
    for (let count = 0; count < 64; count += 1) client.socket.write(Buffer.alloc(megabyte, 'x'));
    await wait(QUIET_MS);
    // The rest is in the buffers of the proxy and of the system, which are bounded.
    expect(client.socket.writableLength).toBeGreaterThan(32 * megabyte);
    await proxy.heal();
    await until(() => client.received.length === 'before'.length + 64 * megabyte);
  });

  it('cuts every connection at both ends, and lets new ones through', async () => {
    const [first, second] = [new Client(), new Client()];
    await Promise.all([first.says('one'), second.says('two')]);
    proxy.cut();
    await until(() => first.ended === 'broken' && second.ended === 'broken');
    await until(() => accepted.every((socket) => socket.destroyed));
    expect(proxy.connectionCount).toBe(0);
    await new Client().says('again');
  });

  it('refuses new connections until it heals, at the same port, and leaves open ones alone', async () => {
    const open = new Client();
    await open.says('before');
    const { port } = proxy;
    proxy.refuse();
    const refused = new Client();
    await until(() => refused.ended === 'broken');
    await open.says('still here');
    await proxy.heal();
    expect(proxy.port).toBe(port);
    await new Client().says('after');
  });

  it('loses what is said to marked connections, which stay open, and to no others', async () => {
    const marking = await TcpProxy.start(
      { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
      { mark: 'listen' },
    );
    const [unmarked, marked] = [new Client(marking), new Client(marking)];
    await unmarked.says('hello');
    await marked.says('please listen');
    expect(marking.muteMarked()).toBe(1);
    marked.socket.write('lost');
    await unmarked.says('heard');
    await marking.heal();
    await wait(QUIET_MS);
    expect([marked.received, marked.ended, marking.connectionCount]).toEqual(['please listen', undefined, 2]);
    await marking.close();
  });

  it('takes new connections elsewhere, leaves open ones where they are, and counts both', async () => {
    const elsewhere = createServer((socket) => void socket.on('error', () => undefined).end('elsewhere'));
    elsewhere.listen({ host: '127.0.0.1', port: 0 });
    await once(elsewhere, 'listening');
    const before = new Client();
    await before.says('before');
    proxy.aimAt({ host: '127.0.0.1', port: (elsewhere.address() as AddressInfo).port });
    const after = new Client();
    await until(() => after.received === 'elsewhere');
    await before.says('still here');
    expect(proxy.acceptedCount).toBe(2);
    after.socket.end();
    elsewhere.close();
    await once(elsewhere, 'close');
  });

  it('breaks a connection whose server refuses, as the server would', async () => {
    const nobody = await TcpProxy.start({ host: '127.0.0.1', port: 1 });
    const socket = createConnection({ host: nobody.host, port: nobody.port });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    await nobody.close();
  });
});
