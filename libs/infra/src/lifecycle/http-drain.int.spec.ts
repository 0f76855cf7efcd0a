import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { describe, expect, it } from 'vitest';
import { drainRequests } from './http-drain.js';

async function server() {
  const app = fastify();
  const drain = drainRequests(app);
  let answer = (): void => {};
  let begun = (): void => {};
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  app.get('/slow', () => {
    begun();
    return new Promise((resolve) => (answer = () => resolve('done')));
  });
  app.get('/', () => 'ok');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return { app, drain, port, hasBegun, answer: () => answer() };
}

describe('draining', () => {
  it('answers the request that has begun, takes no new connection, then ends', async () => {
    const { app, drain, port, hasBegun, answer } = await server();
    const slow = fetch(`http://127.0.0.1:${port}/slow`);
    await hasBegun;
    let drained = false;
    const ended = drain().then(() => (drained = true));
    await expect(fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).rejects.toThrow(
      'fetch failed',
    );
    expect(drained).toBe(false);
    answer();
    expect(await (await slow).text()).toBe('done');
    await ended;
    await app.close();
  });

  it('asks clients that keep their connection to let go of it', async () => {
    const { app, drain, port, hasBegun, answer } = await server();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const first = send(port, '/slow', agent);
    await hasBegun;
    const ended = drain();
    const second = send(port, '/', agent);
    answer();
    await first;
    // It came over the connection that was there already, or was cut before it was read: never answered half.
    const outcome = await second.catch((error: NodeJS.ErrnoException) => error.code);
    expect([{ status: 200, connection: 'close' }, 'ECONNRESET', 'ECONNREFUSED']).toContainEqual(outcome);
    await ended;
    agent.destroy();
    await app.close();
  });

  it('ends at once when nothing is under way, though a connection is kept', async () => {
    const { app, drain, port } = await server();
    const agent = new Agent({ keepAlive: true });
    await send(port, '/', agent);
    expect(await drain()).toBeUndefined();
    agent.destroy();
    await app.close();
  });

  it('does not wait for ever for a caller that went away', async () => {
    const { app, drain, port, hasBegun } = await server();
    const caller = new AbortController();
    const slow = fetch(`http://127.0.0.1:${port}/slow`, { signal: caller.signal }).catch(() => 'gone');
    await hasBegun;
    const ended = drain();
    caller.abort();
    expect(await slow).toBe('gone');
    await ended;
    app.server.closeAllConnections();
  });
});

function send(
  port: number,
  path: string,
  agent: Agent,
): Promise<{ status: number | undefined; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    request({ port, path, agent, host: '127.0.0.1' }, (answer) => {
      answer.resume().once('end', () => resolve({ status: answer.statusCode, connection: answer.headers.connection }));
    })
      .once('error', reject)
      .end();
  });
}
