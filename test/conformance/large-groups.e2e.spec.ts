import { createHmac, randomUUID } from 'node:crypto';
import { ConversationSchema, MemberListSchema, MessageSchema, UserSchema } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestClient } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';
import { TestSocket } from '../clients/test-socket.js';

const SECRET = 'a secret of another system, long enough';
const MEMBERS = 130;

interface Guest {
  userId: string;
  rest: RestClient;
}

let app: TestApp;
let guests: Guest[];
let ada: Guest;
let bob: Guest;
let conversationId: string;
const sockets: TestSocket[] = [];
beforeAll(async () => {
  app = await TestApp.start({ AUTH_EXTERNAL_JWT_SECRET: SECRET });
  guests = await Promise.all(Array.from({ length: MEMBERS }, (_, i) => guest(`guest-${i}`)));
  [ada, bob] = guests as [Guest, Guest];
  const body = { type: 'group', memberIds: guests.map(({ userId }) => userId), name: 'Many' };
  const group = await ada.rest.want(201, ConversationSchema, 'POST', '/v1/conversations', body);
  ({ conversationId } = group);
  expect(group).toMatchObject({ memberCount: MEMBERS });
});
afterAll(async () => {
  for (const socket of sockets) socket.close();
  await app.stop();
});

/** Tokens of another system cost no password hashing, so a crowd is quickly there. */
async function guest(sub: string): Promise<Guest> {
  const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const signed = `${base64({ alg: 'HS256' })}.${base64({ sub, name: `Guest ${sub}`, exp })}`;
  const token = `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
  const rest = new RestClient(app.url, token);
  return { userId: (await rest.want(200, UserSchema, 'GET', '/v1/users/me')).userId, rest };
}

async function connect({ rest }: Guest): Promise<TestSocket> {
  const socket = await TestSocket.connect(app.url, { token: rest.token, deviceId: randomUUID() });
  sockets.push(socket);
  return socket;
}

const send = ({ rest }: Guest, content: string) =>
  rest.want(201, MessageSchema, 'POST', `/v1/conversations/${conversationId}/messages`, {
    content,
    clientMsgId: randomUUID(),
  });

describe('a group of more than a hundred', () => {
  it('gets every message, each member in the same order', async () => {
    const listeners = await Promise.all(guests.slice(2, 42).map(connect));
    const sent = await Promise.all(Array.from({ length: 20 }, (_, i) => send(guests[i] as Guest, `m${i}`)));
    const order = sent.toSorted((a, b) => a.seq - b.seq).map(({ messageId }) => messageId);
    for (const listener of listeners) {
      await listener.waitFor('new_message', ({ messageId }) => messageId === order.at(-1));
      const seen = new Set(listener.seen('new_message').map(({ messageId }) => messageId));
      expect([...seen]).toEqual(order);
    }
  });

  it("tells who has read to the reader's own devices alone, and to others on demand", async () => {
    const [other, first, second] = await Promise.all([connect(ada), connect(bob), connect(bob)]);
    const { messageId } = await send(ada, 'read me');
    await first.ask('read_receipt', { conversationId, lastReadMessageId: messageId });
    expect(await second.waitFor('read_receipt')).toMatchObject({ userId: bob.userId, lastReadMessageId: messageId });
    const marker = await send(guests[5] as Guest, 'marker');
    await other.waitFor('new_message', (message) => message.messageId === marker.messageId);
    expect(other.seen('read_receipt').filter(({ userId }) => userId === bob.userId)).toEqual([]);
    const answer = await ada.rest.call(
      'GET',
      `/v1/conversations/${conversationId}/messages/${messageId}/receipts?limit=100`,
    );
    const { items } = answer.json as { items: { userId: string; readAt: string | null }[] };
    expect(items).toHaveLength(100);
    expect(items.some(({ userId }) => userId === ada.userId)).toBe(false);
  });

  it('loses a member at once: it receives nothing from then on, whatever is under way', async () => {
    const leavers = guests.slice(100, 125);
    const theirs = await Promise.all(leavers.map(connect));
    const { userId } = bob;
    const chatter = Array.from({ length: 60 }, (_, i) => send(guests[i % 40] as Guest, `chatter ${i}`));
    const removal = ada.rest.want(200, ConversationSchema, 'PUT', `/v1/conversations/${conversationId}/members`, {
      remove: leavers.map((leaver) => leaver.userId),
    });
    const { lastSeq } = await removal;
    await Promise.all(chatter);
    const last = await send(bob, 'after the removal');
    for (const socket of theirs) {
      await socket.waitFor('conversation_removed');
      await socket.ask('heartbeat', { active: true });
      const events = socket.events.map(({ name }) => name);
      expect(events.slice(events.indexOf('conversation_removed') + 1)).toEqual([]);
      expect(socket.seen('new_message').every(({ seq }) => seq <= lastSeq)).toBe(true);
    }
    const page = await ada.rest.want(
      200,
      MemberListSchema,
      'GET',
      `/v1/conversations/${conversationId}/members?limit=100`,
    );
    expect(page.items.map((member) => member.userId)).toContain(userId);
    expect(last.seq).toBeGreaterThan(lastSeq);
  });
});
