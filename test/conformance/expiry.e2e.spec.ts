import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import { TestSocket } from '../clients/test-socket.js';

const SECRET = 'a secret of another system, long enough';
let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ AUTH_EXTERNAL_JWT_SECRET: SECRET });
});

const tokenFor = (seconds: number): string => {
  const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + seconds;
  const signed = `${base64({ alg: 'HS256' })}.${base64({ sub: 'short-lived', exp })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
};

describe('the end of a connection', () => {
  it('by its token is announced, and averted by a new one', async () => {
    const connect = (token: string) => TestSocket.connect(app.url, { token, deviceId: randomUUID() });
    const [left, renewed] = await Promise.all([connect(tokenFor(5)), connect(tokenFor(5))]);
    for (const socket of [left, renewed]) {
      const { expiresAt } = await socket.waitFor('token_expiring');
      expect(Math.abs(Date.parse(expiresAt) - Date.now())).toBeLessThan(6_000);
    }
    const { expiresAt } = await renewed.ask('authenticate', { token: tokenFor(600) });
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(590_000);
    expect(await left.waitFor('closing', undefined, 9_000)).toMatchObject({
      code: 'token_expired',
      reconnect: 'with_new_token',
    });
    await left.waitForEnd();
    await renewed.ask('heartbeat', { active: true });
    expect(renewed.seen('closing')).toEqual([]);
    renewed.close();
  });

  it('by a stop of the server is announced, to each with its own time to come back', async () => {
    const users = await app.someUsers('A', 'B', 'C');
    const sockets = await Promise.all(users.map((user) => user.connect()));
    const [sender] = sockets as [TestSocket];
    const { conversationId } = await (users[0] as (typeof users)[0]).group(users.slice(1));
    const answers = Array.from({ length: 20 }, (_, i) =>
      sender.send({ conversationId, content: `last words ${i}`, clientMsgId: randomUUID() }),
    );
    // All of them left in one piece, so the server has the others too.
    await answers[0];
    await app.shutDown();
    const seqs = (await Promise.all(answers)).map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    for (const socket of sockets) {
      const [closing] = socket.seen('closing');
      expect(closing).toMatchObject({ code: 'draining', reconnect: 'now', afterMs: expect.any(Number) as unknown });
    }
    await expect(TestSocket.connect(app.url, {})).rejects.toThrow('websocket error');
  });
});

afterAll(() => app.stop());
