import {
  ChangeMembers,
  ChangeSettings,
  CreateConversation,
  DeleteMessage,
  DomainError,
  EditMessage,
  FindGateways,
  GetConversation,
  GetHistory,
  GetMessage,
  GetSentMessage,
  GetReceipts,
  ListConversations,
  ListMembers,
  LogIn,
  MarkRead,
  ReactToMessage,
  RenameConversation,
  SendMessage,
  SyncConversations,
  UpdateMe,
} from '@parley/domain';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EXAMPLE } from './documents/answer-examples.js';
import { CALLER, OTHER_CALLER, openRestDoor, type RestDoor } from './rest-door.testing.js';

const { message, conversation } = EXAMPLE;
const BASE = `/v1/conversations/${conversation.conversationId}`;
const MESSAGE = `${BASE}/messages/${message.messageId}`;
const actor = { userId: CALLER, connectionId: null };

let door: RestDoor;
beforeAll(async () => {
  door = await openRestDoor();
});
afterAll(() => door.close());
afterEach(() => door.answers.clear());

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

async function call(method: Method, url: string, body?: object) {
  const headers = { authorization: `Bearer ${CALLER}` };
  const answer = await door.app.inject({ method, url, headers, ...(body && { payload: body }) });
  const isJson = String(answer.headers['content-type']).startsWith('application/json');
  return { status: answer.statusCode, body: isJson ? answer.json() : answer.body };
}

/** The command or query that a handler was given, without what the buses add. */
function receive<Message extends object>(kind: new (...parts: never[]) => Message, answer: unknown): { got: object[] } {
  const seen = { got: [] as object[] };
  door.answers.set(kind, (given: object) => {
    seen.got.push({ ...given });
    return answer;
  });
  return seen;
}

describe('a send', () => {
  const url = `${BASE}/messages`;
  const sent = { content: 'Hello', clientMsgId: 'one' };
  const stored = {
    status: 'stored',
    messageId: message.messageId,
    seq: 1,
    rev: 2,
    timestamp: message.timestamp,
    clientMsgId: 'one',
    duplicate: false,
  };

  it('that is stored answers 201 with the message as it reads', async () => {
    const command = receive(SendMessage, stored);
    const query = receive(GetSentMessage, message);
    expect(await call('POST', url, sent)).toEqual({ status: 201, body: message });
    const { conversationId } = conversation;
    expect(command.got).toEqual([{ actor, payload: { conversationId, contentType: 'text', ...sent } }]);
    expect(query.got).toEqual([{ userId: CALLER, conversationId, messageId: message.messageId }]);
  });

  it('that was stored before answers 200 with the first one', async () => {
    receive(SendMessage, { ...stored, duplicate: true });
    receive(GetSentMessage, message);
    expect(await call('POST', url, sent)).toEqual({ status: 200, body: message });
  });

  it('that is durable and not stored yet answers 202', async () => {
    receive(SendMessage, { status: 'accepted', clientMsgId: 'one' });
    expect(await call('POST', url, sent)).toEqual({ status: 202, body: { status: 'accepted', clientMsgId: 'one' } });
  });

  it('that is refused answers the refusal, and the status of success is forgotten', async () => {
    door.answers.set(SendMessage, () => {
      throw new DomainError('client_msg_id_reused');
    });
    expect((await call('POST', url, sent)).status).toBe(409);
  });
});

describe('a new conversation', () => {
  const body = { type: 'direct', memberIds: [OTHER_CALLER] };

  it.each([
    [true, 201],
    [false, 200],
  ])('with created=%s answers %i', async (created, status) => {
    const seen = receive(CreateConversation, { conversation, created });
    expect(await call('POST', '/v1/conversations', body)).toEqual({ status, body: conversation });
    expect(seen.got).toEqual([{ actor, body }]);
  });
});

const { conversationId } = conversation;
const { messageId } = message;
const page = { items: [], nextCursor: null };
const history = { items: [message, message], nextCursor: 'next"page', hasBefore: true, hasAfter: false };

describe.each([
  ['GET', '/v1/conversations', undefined, ListConversations, page, { userId: CALLER, query: { limit: 50 } }],
  ['GET', BASE, undefined, GetConversation, conversation, { userId: CALLER, conversationId }],
  ['PATCH', BASE, { name: 'x' }, RenameConversation, conversation, { actor, conversationId, name: 'x' }],
  [
    'PUT',
    `${BASE}/settings`,
    { pinned: true },
    ChangeSettings,
    conversation.settings,
    { actor, conversationId, body: { pinned: true } },
  ],
  ['GET', `${BASE}/members`, undefined, ListMembers, page, { userId: CALLER, conversationId, query: { limit: 50 } }],
  [
    'PUT',
    `${BASE}/members`,
    { remove: [CALLER] },
    ChangeMembers,
    conversation,
    { actor, conversationId, body: { remove: [CALLER] } },
  ],
  [
    'GET',
    `${BASE}/messages?after=5&limit=2`,
    undefined,
    GetHistory,
    history,
    { userId: CALLER, conversationId, query: { after: '5', limit: 2 } },
  ],
  ['GET', MESSAGE, undefined, GetMessage, message, { userId: CALLER, conversationId, messageId }],
  [
    'PATCH',
    MESSAGE,
    { content: ' b ' },
    EditMessage,
    message,
    { actor, payload: { conversationId, messageId, content: ' b ' } },
  ],
  ['DELETE', MESSAGE, undefined, DeleteMessage, message, { actor, payload: { conversationId, messageId } }],
  [
    'PUT',
    `${MESSAGE}/reactions/${encodeURIComponent('👩‍👩‍👧‍👦')}`,
    undefined,
    ReactToMessage,
    message,
    { actor, payload: { conversationId, messageId, emoji: '👩‍👩‍👧‍👦' }, present: true },
  ],
  [
    'DELETE',
    `${MESSAGE}/reactions/${encodeURIComponent('a/b')}`,
    undefined,
    ReactToMessage,
    message,
    { actor, payload: { conversationId, messageId, emoji: 'a/b' }, present: false },
  ],
  [
    'PUT',
    `${BASE}/read`,
    { lastReadMessageId: messageId },
    MarkRead,
    EXAMPLE.readMark,
    { actor, payload: { conversationId, lastReadMessageId: messageId } },
  ],
  [
    'GET',
    `${MESSAGE}/receipts`,
    undefined,
    GetReceipts,
    page,
    { userId: CALLER, conversationId, messageId, query: { limit: 50 } },
  ],
  [
    'POST',
    '/v1/sync',
    { since: 'a' },
    SyncConversations,
    EXAMPLE.sync,
    { userId: CALLER, payload: { since: 'a', cursors: [], limit: 50 } },
  ],
] as const)('%s %s', (method, url, body, kind, answer, expected) => {
  it('hands over who asks for what, and answers 200 with what comes back', async () => {
    const seen = receive(kind as never, answer);
    expect(await call(method, url, body as object | undefined)).toEqual({ status: 200, body: answer });
    expect(seen.got).toEqual([expected]);
  });

  it('answers 401 without a token and asks nothing', async () => {
    const seen = receive(kind as never, answer);
    const refused = await door.app.inject({ method, url, ...(body && { payload: body }) });
    expect(refused.statusCode).toBe(401);
    expect(seen.got).toEqual([]);
  });
});

it('a profile is changed for its caller, and a login knows the address that it came from', async () => {
  const profile = receive(UpdateMe, EXAMPLE.user);
  expect((await call('PATCH', '/v1/users/me', { statusText: null })).status).toBe(200);
  expect(profile.got).toEqual([{ userId: CALLER, change: { statusText: null } }]);
  const login = receive(LogIn, {});
  const payload = { username: 'ada', password: 'secret pass' };
  await door.app.inject({ method: 'POST', url: '/v1/auth/login', remoteAddress: '192.0.2.7', payload });
  expect(login.got).toEqual([{ login: payload, clientAddress: '192.0.2.7' }]);
});

describe('GET /v1/connect', () => {
  it('names this server by the address that the request came to', async () => {
    const answer = await door.app.inject({
      url: '/v1/connect?region=eu',
      headers: { authorization: `Bearer ${CALLER}`, host: 'chat.example:8080' },
    });
    expect(answer.json()).toEqual({ url: 'http://chat.example:8080', path: '/socket.io', fallbackUrls: [] });
  });

  it('names PUBLIC_URL where there is one, and believes a proxy only where it is trusted', async () => {
    const behindProxy = {
      authorization: `Bearer ${CALLER}`,
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'chat.test',
    };
    const named = await openRestDoor({ settings: { publicUrl: 'https://chat.example' } });
    const trusting = await openRestDoor({ trustProxy: 1 });
    const urlOf = async ({ app }: RestDoor) =>
      (await app.inject({ url: '/v1/connect', headers: behindProxy })).json().url;
    expect(await urlOf(named)).toBe('https://chat.example');
    expect(await urlOf(door)).toBe('http://localhost:80');
    expect(await urlOf(trusting)).toBe('https://chat.test');
    await Promise.all([named.close(), trusting.close()]);
  });

  it('names the gateway that is found for the caller, where sockets are served elsewhere', async () => {
    const besideGateways = await openRestDoor({ settings: { areSocketsElsewhere: true, region: 'eu' } });
    const asked: FindGateways[] = [];
    besideGateways.answers.set(FindGateways, (query: FindGateways) => {
      asked.push(query);
      return { url: 'https://g1.example', fallbackUrls: ['https://g2.example'] };
    });
    const headers = { authorization: `Bearer ${CALLER}` };
    const found = await besideGateways.app.inject({ url: '/v1/connect', headers });
    expect(found.json()).toEqual({
      url: 'https://g1.example',
      path: '/socket.io',
      fallbackUrls: ['https://g2.example'],
    });
    await besideGateways.app.inject({ url: '/v1/connect?region=us', headers });
    expect(asked.map(({ userId, region }) => ({ userId, region }))).toEqual([
      { userId: CALLER, region: 'eu' },
      { userId: CALLER, region: 'us' },
    ]);
    besideGateways.answers.set(FindGateways, () => {
      throw new DomainError('overloaded', 'No gateway is known', { retryAfterMs: 2_000 });
    });
    const refused = await besideGateways.app.inject({ url: '/v1/connect', headers });
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '2']);
    await besideGateways.close();
  });

  it('names the gateways of the configuration, one first that is steady for the caller, where it says them', async () => {
    const gatewayUrls = ['https://g1.example', 'https://g2.example', 'https://g3.example'];
    const besideGateways = await openRestDoor({ settings: { gatewayUrls } });
    const headers = { authorization: `Bearer ${CALLER}` };
    const { url, fallbackUrls } = (await besideGateways.app.inject({ url: '/v1/connect', headers })).json();
    expect(new Set([url, ...fallbackUrls])).toEqual(new Set(gatewayUrls));
    await besideGateways.close();
  });
});
