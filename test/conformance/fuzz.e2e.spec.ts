import { randomUUID } from 'node:crypto';
import { CLIENT_EVENTS } from '@parley/contracts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemOf } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';
import type { TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let socket: TestSocket;
let ids: string[];
beforeAll(async () => {
  app = await TestApp.start();
  [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  const { conversationId } = await ada.group([bob]);
  const { messageId } = await ada.send(conversationId, 'Hello');
  const { syncedAt } = await ada.sync();
  ids = [conversationId, messageId, ada.userId, bob.userId, syncedAt, randomUUID(), '1', '0', 'first_unread'];
  socket = await ada.connect();
});
afterAll(() => app.stop());

const FIELDS = `
  conversationId messageId content contentType clientMsgId mediaIds replyToMessageId emoji type
  memberIds name clientRequestId add remove roles lastReadMessageId isTyping mutedUntil pinned
  archived since cursors limit cursor afterSeq afterRev active username password displayName
  statusText avatarMediaId token deviceId refreshToken`
  .trim()
  .split(/\s+/);
const EDGES = [
  0,
  -1,
  1.5,
  2 ** 53,
  1e300,
  -0,
  '',
  ' ',
  'text',
  'admin',
  'direct',
  'group',
  '\u202e',
  '💥',
  '\n',
  'x'.repeat(70),
];

/** Values near what is expected: known fields, ids that exist, and what usually breaks things. */
const valueOf = (): fc.Arbitrary<unknown> => {
  const leaf = fc.oneof(
    fc.constantFrom(...ids),
    fc.constantFrom(...EDGES),
    fc.boolean(),
    fc.constant(null),
    fc.string(),
  );
  return fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      { weight: 6, arbitrary: leaf },
      { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 4 }) },
      {
        weight: 1,
        arbitrary: fc.dictionary(fc.oneof(fc.constantFrom(...FIELDS, ...ids), fc.string()), tie('value'), {
          maxKeys: 4,
        }),
      },
    ),
  })).value;
};
const bodyOf = (): fc.Arbitrary<unknown> => fc.dictionary(fc.constantFrom(...FIELDS), valueOf(), { maxKeys: 5 });

const ROUTES: [method: string, path: string][] = [
  ['POST', '/v1/auth/signup'],
  ['POST', '/v1/auth/login'],
  ['POST', '/v1/auth/refresh'],
  ['PATCH', '/v1/users/me'],
  ['GET', '/v1/users/ID'],
  ['GET', '/v1/users?search=ID&cursor=ID'],
  ['PUT', '/v1/users/me/contacts/ID'],
  ['PUT', '/v1/users/me/blocks/ID'],
  ['POST', '/v1/conversations'],
  ['GET', '/v1/conversations?cursor=ID'],
  ['PATCH', '/v1/conversations/ID'],
  ['PUT', '/v1/conversations/ID/members'],
  ['GET', '/v1/conversations/ID/members?cursor=ID'],
  ['POST', '/v1/conversations/ID/messages'],
  ['GET', '/v1/conversations/ID/messages?around=ID'],
  ['GET', '/v1/conversations/ID/messages?before=ID&limit=ID'],
  ['PATCH', '/v1/conversations/ID/messages/ID'],
  ['PUT', '/v1/conversations/ID/messages/ID/reactions/ID'],
  ['PUT', '/v1/conversations/ID/read'],
  ['GET', '/v1/conversations/ID/messages/ID/receipts'],
  ['PUT', '/v1/conversations/ID/settings'],
  ['POST', '/v1/sync'],
];

describe('whatever is sent', () => {
  it('to a route is answered as the contract says, and is never a fault of the server', async () => {
    const request = fc.record({
      route: fc.constantFrom(...ROUTES),
      places: fc.array(fc.oneof(fc.constantFrom(...ids), fc.string({ minLength: 1 })), { minLength: 3, maxLength: 3 }),
      body: bodyOf(),
    });
    const check = async ({
      route: [method, path],
      places,
      body,
    }: {
      route: [string, string];
      places: string[];
      body: unknown;
    }) => {
      let i = 0;
      const url = path.replaceAll('ID', () => encodeURIComponent((places[i++] ?? 'x').toWellFormed()));
      const answer = await ada.rest.call(method, url, method === 'GET' ? {} : { body });
      expect(answer.status, `${method} ${url} ${JSON.stringify(body)}: ${answer.text.slice(0, 200)}`).toBeLessThan(500);
      if (answer.status >= 400) problemOf(answer);
    };
    await fc.assert(fc.asyncProperty(request, check), { numRuns: 700 });
  });

  it('as an event is answered as the contract says, and is never a fault of the server', async () => {
    const names = Object.keys(CLIENT_EVENTS);
    const event = fc.record({ name: fc.constantFrom(...names), payload: fc.oneof(bodyOf(), valueOf()) });
    const check = async ({ name, payload }: { name: string; payload: unknown }) => {
      const answer = (await socket.raw(name, payload)) as { ok: boolean; error?: { status: number } };
      expect(answer.error?.status ?? 200, `${name} ${JSON.stringify(payload)}`).toBeLessThan(500);
    };
    await fc.assert(fc.asyncProperty(event, check), { numRuns: 700 });
    expect(socket.disconnected).toBeUndefined();
  });
});
