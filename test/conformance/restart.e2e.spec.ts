import { randomUUID } from 'node:crypto';
import { ConversationListSchema, SessionSchema } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestClient } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';
import { TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({}, 'alone');
});
afterAll(() => app.stop());

describe('after a restart', () => {
  it('everything is found: accounts, tokens, messages, places, marks, cursors and what was sent before', async () => {
    const [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
    const { conversationId } = await ada.group([bob], 'Before');
    await ada.group([bob], 'Other');
    const sent = { content: 'first', clientMsgId: randomUUID() };
    const first = await ada.send(conversationId, sent.content, { clientMsgId: sent.clientMsgId });
    await bob.read(conversationId, first.messageId);
    const before = await bob.conversation(conversationId);
    const { syncedAt } = await bob.sync();
    const page = await ada.rest.want(200, ConversationListSchema, 'GET', '/v1/conversations?limit=1');
    await ada.send(conversationId, 'second');

    const url = await app.restart();
    const rest = new RestClient(url, ada.rest.token);
    const path = `/v1/conversations/${conversationId}`;
    expect((await rest.call('POST', `${path}/messages`, { body: sent })).json).toEqual(first);
    const third = await rest.call('POST', `${path}/messages`, {
      body: { content: 'third', clientMsgId: randomUUID() },
    });
    expect(third.json).toMatchObject({ seq: 3, rev: 4 });
    expect(BigInt((third.json as { messageId: string }).messageId)).toBeGreaterThan(BigInt(first.messageId));
    const cursor = encodeURIComponent(page.nextCursor as string);
    expect((await rest.call('GET', `/v1/conversations?limit=1&cursor=${cursor}`)).status).toBe(200);
    const { refreshToken } = bob.session;
    const session = await new RestClient(url).want(200, SessionSchema, 'POST', '/v1/auth/refresh', { refreshToken });
    const socket = await TestSocket.connect(url, { token: session.accessToken, deviceId: randomUUID() });
    const synced = await socket.ask('sync', {
      since: syncedAt,
      cursors: [{ conversationId, afterSeq: 1, afterRev: 2 }],
    });
    expect(synced.conversations.map(({ conversation }) => conversation.name)).toEqual(['Before']);
    expect(synced.conversations[0]?.messages.map(({ content }) => content)).toEqual(['second', 'third']);
    expect(synced.conversations[0]?.conversation).toMatchObject({ lastReadSeq: 1, unreadCount: 2 });
    expect(before).toMatchObject({ lastReadSeq: 1, unreadCount: 0 });
    socket.close();
  });
});
