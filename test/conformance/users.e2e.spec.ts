import { randomUUID } from 'node:crypto';
import { UserListSchema, UserSchema } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import { freshName, TestUser } from '../clients/test-user.js';
import { sorted } from '../clients/sorted.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
beforeAll(async () => {
  app = await TestApp.start();
  [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
});
afterAll(() => app.stop());

const search = (user: TestUser, query: string) =>
  user.rest.want(200, UserListSchema, 'GET', `/v1/users?search=${encodeURIComponent(query)}&limit=100`);

describe('a profile', () => {
  it('is shown to oneself with the two private fields, to others without', async () => {
    const own = await ada.rest.want(200, UserSchema, 'GET', '/v1/users/me');
    const publicFields = ['avatarUrl', 'createdAt', 'displayName', 'statusText', 'userId', 'username'];
    expect(sorted(Object.keys(own))).toEqual(sorted([...publicFields, 'presenceHidden', 'pushPreview']));
    const seen = (await bob.rest.call('GET', `/v1/users/${ada.userId}`)).json as object;
    expect(sorted(Object.keys(seen))).toEqual(publicFields);
  });

  it('is changed field by field', async () => {
    const eve = await app.user('Eve');
    await eve.rest.want(200, UserSchema, 'PATCH', '/v1/users/me', { statusText: 'away', presenceHidden: true });
    const after = await eve.rest.want(200, UserSchema, 'PATCH', '/v1/users/me', { displayName: 'Eve 2' });
    expect(after).toMatchObject({ displayName: 'Eve 2', statusText: 'away', presenceHidden: true });
    const cleared = await eve.rest.want(200, UserSchema, 'PATCH', '/v1/users/me', { statusText: null });
    expect(cleared.statusText).toBeNull();
    expect((await ada.rest.want(200, UserSchema, 'GET', `/v1/users/${eve.userId}`)).displayName).toBe('Eve 2');
  });

  it.each([
    [{ displayName: '' }, '400 validation_failed displayName:empty'],
    [{ displayName: 'x'.repeat(65) }, '400 validation_failed displayName:too_long'],
    [{ displayName: null }, '400 validation_failed displayName:invalid_type'],
    [{ username: 'other' }, '400 validation_failed username:unknown_field'],
    [{ userId: randomUUID() }, '400 validation_failed userId:unknown_field'],
    [{ presenceHidden: 'yes' }, '400 validation_failed presenceHidden:invalid_type'],
    [{ avatarMediaId: randomUUID() }, '404 not_found'],
  ])('refuses %o', async (change, refusal) => {
    expect(await ada.rest.refusal('PATCH', '/v1/users/me', change)).toBe(refusal);
  });

  it.each([randomUUID(), 'nonsense', '..%2f', '%00', 'x'.repeat(1_000)])('of nobody (%s) is not found', async (id) => {
    expect(await ada.rest.refusal('GET', `/v1/users/${id}`)).toMatch(/^(404 not_found|400 validation_failed)/);
  });
});

describe('a search for users', () => {
  it('finds by a prefix of the name or of the display name, whatever the case', async () => {
    const key = freshName('q').replace('-', '');
    const user = await TestUser.signUp(app.url, `Zoë ${key}`, `${key}.login`);
    const other = await TestUser.signUp(app.url, `${key.toUpperCase()} shown`, freshName());
    const found = (await search(ada, key)).items.map(({ userId }) => userId);
    expect(sorted(found)).toEqual(sorted([user.userId, other.userId]));
    expect((await search(ada, `ZOË ${key}`)).items.map(({ userId }) => userId)).toEqual([user.userId]);
    expect((await search(ada, key.slice(1))).items).toEqual([]);
  });

  it('takes wildcards literally', async () => {
    await Promise.all(['%', '_', '\\'].map(async (text) => expect((await search(ada, text)).items).toEqual([])));
  });

  it('pages through everything once', async () => {
    const key = freshName('page').replace('-', '');
    for (let i = 0; i < 5; i++) await TestUser.signUp(app.url, `Page ${i}`, `${key}.${i}`);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await ada.rest.want(200, UserListSchema, 'GET', `/v1/users?search=${key}&limit=2${more}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ username }) => username));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(sorted(seen)).toEqual([0, 1, 2, 3, 4].map((i) => `${key}.${i}`));
  });

  it.each([
    ['', 'search:required'],
    ['?search=', 'search:empty'],
    [`?search=${'x'.repeat(65)}`, 'search:too_long'],
    ['?search=a&limit=0', 'limit:'],
    ['?search=a&limit=101', 'limit:'],
    ['?search=a&limit=abc', 'limit:'],
    ['?search=a&limit=1e9', 'limit:'],
    ['?search=a&limit=-1', 'limit:'],
    ['?search=a&sort=name', 'sort:unknown_field'],
    ['?search=a&cursor=nonsense', 'cursor'],
    [`?search=a&cursor=${'x'.repeat(8_000)}`, 'cursor'],
  ])('refuses %s', async (query, code) => {
    expect(await ada.rest.refusal('GET', `/v1/users${query}`)).toContain(`400 validation_failed ${code}`);
  });
});

describe.each(['contacts', 'blocks'])('the list of %s', (list) => {
  const path = (userId = '') => `/v1/users/me/${list}${userId && '/'}${userId}`;
  const listed = async (user: TestUser, query = '') =>
    (await user.rest.want(200, UserListSchema, 'GET', path() + query)).items.map(({ userId }) => userId);

  it('takes a user once, lists it to its owner alone, and lets it go', async () => {
    const [eve, cat] = (await app.someUsers('Eve', 'Cat')) as [TestUser, TestUser];
    await eve.rest.wantEmpty(204, 'PUT', path(cat.userId));
    await eve.rest.wantEmpty(204, 'PUT', path(cat.userId));
    expect(await listed(eve)).toEqual([cat.userId]);
    expect(await listed(cat)).toEqual([]);
    await eve.rest.wantEmpty(204, 'DELETE', path(cat.userId));
    await eve.rest.wantEmpty(204, 'DELETE', path(cat.userId));
    expect(await listed(eve)).toEqual([]);
  });

  it('does not take somebody who does not exist', async () => {
    expect(await ada.rest.refusal('PUT', path(randomUUID()))).toBe('404 not_found');
    expect(await ada.rest.refusal('PUT', path('nonsense'))).toMatch(/^(404 not_found|400 validation_failed)/);
  });

  it('is paged, with a cursor of its own user', async () => {
    const eve = await app.user('Eve');
    const others = await app.someUsers('A', 'B', 'C');
    for (const other of others) await eve.rest.wantEmpty(204, 'PUT', path(other.userId));
    const first = await eve.rest.want(200, UserListSchema, 'GET', `${path()}?limit=2`);
    expect(first.items).toHaveLength(2);
    const cursor = encodeURIComponent(first.nextCursor as string);
    const rest = await listed(eve, `?limit=2&cursor=${cursor}`);
    const all = [...first.items.map(({ userId }) => userId), ...rest];
    expect(sorted(all)).toEqual(sorted(others.map(({ userId }) => userId)));
    expect(await bob.rest.refusal('GET', `${path()}?limit=2&cursor=${cursor}`)).toContain('400 validation_failed');
    const otherList = list === 'blocks' ? 'contacts' : 'blocks';
    expect(await eve.rest.refusal('GET', `/v1/users/me/${otherList}?cursor=${cursor}`)).toContain(
      '400 validation_failed',
    );
  });
});

describe('a block', () => {
  it('stops sends and new direct chats to the blocker, in that direction only, until it is lifted', async () => {
    const [eve, mallory] = (await app.someUsers('Eve', 'Mallory')) as [TestUser, TestUser];
    const chat = await eve.direct(mallory);
    const socket = await mallory.connect();
    await eve.rest.wantEmpty(204, 'PUT', `/v1/users/me/blocks/${mallory.userId}`);
    const body = { content: 'hello?', clientMsgId: randomUUID() };
    const path = `/v1/conversations/${chat.conversationId}/messages`;
    expect(await mallory.rest.refusal('POST', path, body)).toBe('403 blocked');
    expect(await socket.refusal('send_message', { conversationId: chat.conversationId, ...body })).toBe('403 blocked');
    await eve.send(chat.conversationId, 'I can');
    await eve.rest.wantEmpty(204, 'DELETE', `/v1/users/me/blocks/${mallory.userId}`);
    await mallory.send(chat.conversationId, 'thanks');
    const { items } = await eve.history(chat.conversationId);
    expect(items.map(({ content }) => content)).toEqual(['thanks', 'I can']);
  });

  it('leaves a direct chat that is there where it is, for both', async () => {
    const [eve, mallory] = (await app.someUsers('Eve', 'Mallory')) as [TestUser, TestUser];
    const { conversationId } = await eve.direct(mallory);
    await mallory.send(conversationId, 'before');
    await eve.rest.wantEmpty(204, 'PUT', `/v1/users/me/blocks/${mallory.userId}`);
    for (const user of [eve, mallory]) {
      expect((await user.history(conversationId)).items.map(({ content }) => content)).toEqual(['before']);
    }
    const again = await eve.rest.call('POST', '/v1/conversations', {
      body: { type: 'direct', memberIds: [mallory.userId] },
    });
    expect([again.status, (again.json as { conversationId: string }).conversationId]).toEqual([200, conversationId]);
  });

  it('refuses a new direct chat with the blocker, and leaves groups alone', async () => {
    const [eve, mallory, cat] = (await app.someUsers('Eve', 'Mallory', 'Cat')) as [TestUser, TestUser, TestUser];
    const group = await cat.group([eve, mallory]);
    await eve.rest.wantEmpty(204, 'PUT', `/v1/users/me/blocks/${mallory.userId}`);
    const body = { type: 'direct', memberIds: [eve.userId] };
    expect(await mallory.rest.refusal('POST', '/v1/conversations', body)).toBe('403 blocked');
    await mallory.send(group.conversationId, 'in a group');
    expect((await eve.history(group.conversationId)).items[0]?.content).toBe('in a group');
  });
});
