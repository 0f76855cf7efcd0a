import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type AccountsDoor, openAccountsDoor } from '../accounts/accounts-door.testing.js';

let door: AccountsDoor;
let ada: Account;
let bob: Account;
beforeAll(async () => {
  door = await openAccountsDoor();
  [ada, bob] = [await door.signUp('Ada Lovelace'), await door.signUp('Bob')];
});
afterAll(() => door?.close());

const get = (path: string, by = ada) => door.call('GET', path, by.accessToken);
const patchMe = (body: unknown, by = ada) => door.call('PATCH', '/users/me', by.accessToken, body);
const problem = (status: number, code: string) =>
  expect.objectContaining({ status, body: expect.objectContaining({ code }) });

interface List {
  items: { userId: string; username: string }[];
  nextCursor: string | null;
}

async function pages(path: string, by: Account): Promise<List[]> {
  const all: List[] = [];
  let cursor: string | null = null;
  do {
    const answer = await get(cursor === null ? path : `${path}&cursor=${cursor}`, by);
    expect(answer.status).toBe(200);
    all.push(answer.body as unknown as List);
    cursor = all.at(-1)!.nextCursor;
  } while (cursor !== null);
  return all;
}

describe('profiles', () => {
  it('show oneself more than others', async () => {
    const own = await get('/users/me');
    expect(own.body).toEqual({ ...ada.user, presenceHidden: false, pushPreview: true });
    expect((await get(`/users/${ada.user.userId}`, bob)).body).toEqual(ada.user);
    expect((await get(`/users/${ada.user.userId.toUpperCase()}`)).body).toEqual(ada.user);
  });

  it('change as told, and stay otherwise', async () => {
    const eve = await door.signUp('Eve');
    const changed = await patchMe({ displayName: 'Evelyn', statusText: 'away', presenceHidden: true }, eve);
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({
      displayName: 'Evelyn',
      statusText: 'away',
      presenceHidden: true,
      pushPreview: true,
    });
    expect((await patchMe({ statusText: null }, eve)).body).toEqual({ ...changed.body, statusText: null });
    expect((await patchMe({}, eve)).body).toEqual({ ...changed.body, statusText: null });
    expect((await get(`/users/${eve.user.userId}`)).body).toMatchObject({ displayName: 'Evelyn' });
  });

  it('refuse what is wrong and what nobody asked for, and then change nothing', async () => {
    for (const body of [
      { displayName: '' },
      { statusText: 'x'.repeat(141) },
      { presenceHidden: 'yes' },
      { username: 'x' },
      [],
    ]) {
      expect(await patchMe(body)).toEqual(problem(400, 'validation_failed'));
    }
    expect(await patchMe({ displayName: 'New', avatarMediaId: randomUUID() })).toEqual(problem(404, 'not_found'));
    expect((await get('/users/me')).body).toMatchObject({ displayName: 'Ada Lovelace' });
    expect((await patchMe({ avatarMediaId: null })).status).toBe(200);
  });

  it('are not found for an id that nobody has, and refused for what is no id', async () => {
    expect(await get(`/users/${randomUUID()}`)).toEqual(problem(404, 'not_found'));
    for (const id of ['7', 'x'.repeat(500), '..%2f..%2fme', '%00', encodeURIComponent("' OR 1=1")]) {
      expect((await get(`/users/${id}`)).status).toBeOneOf([400, 404]);
    }
  });
});

describe('search', () => {
  it('finds by the beginning of either name, pages, and shows each user once', async () => {
    const key = `s${randomBytes(4).toString('hex')}`;
    for (let i = 0; i < 5; i++) await door.signUp(`${key.toUpperCase()} ${i}`);
    const all = await pages(`/users?search=${key}&limit=2`, ada);
    expect(all.map(({ items }) => items.length)).toEqual([2, 2, 1]);
    expect(new Set(all.flatMap(({ items }) => items.map(({ userId }) => userId))).size).toBe(5);
    const byName = await get(`/users?search=${bob.username}`);
    expect(byName.body).toMatchObject({ items: [bob.user], nextCursor: null });
  });

  it('finds nothing by a wildcard', async () => {
    for (const text of ['%', '_', '%25', '*']) {
      expect((await get(`/users?search=${encodeURIComponent(text)}`)).body).toEqual({ items: [], nextCursor: null });
    }
  });

  it('finds somebody whom one has blocked, and who has blocked one', async () => {
    const [blocker, blocked] = [await door.signUp(), await door.signUp()];
    await door.call('PUT', `/users/me/blocks/${blocked.user.userId}`, blocker.accessToken);
    expect((await get(`/users?search=${blocked.username}`, blocker)).body).toMatchObject({ items: [blocked.user] });
    expect((await get(`/users?search=${blocker.username}`, blocked)).body).toMatchObject({ items: [blocker.user] });
  });

  it('takes no cursor of another user, another search or another list', async () => {
    const key = `c${randomBytes(4).toString('hex')}`;
    for (let i = 0; i < 2; i++) await door.signUp(`${key} ${i}`);
    const { nextCursor } = (await get(`/users?search=${key}&limit=1`)).body as unknown as List;
    expect((await get(`/users?search=${key}&cursor=${nextCursor}`)).status).toBe(200);
    const wrong = [
      await get(`/users?search=${key}&cursor=${nextCursor}`, bob),
      await get(`/users?search=${key}x&cursor=${nextCursor}`),
      await get(`/users/me/contacts?cursor=${nextCursor}`),
      await get(`/users?search=${key}&cursor=garbage`),
      await get(`/users?search=${key}&cursor=${'A'.repeat(65_536)}`),
    ];
    for (const answer of wrong) expect(answer).toEqual(problem(400, 'validation_failed'));
  });

  it('refuses a search for nothing, and limits out of range', async () => {
    for (const query of [
      '',
      '?search=',
      '?search=%20',
      `?search=${'x'.repeat(65)}`,
      '?search=a&search=b',
      '?serch=a',
    ]) {
      expect(await get(`/users${query}`)).toEqual(problem(400, 'validation_failed'));
    }
    for (const limit of ['0', '-1', '101', '1e9', 'abc', '']) {
      expect(await get(`/users?search=a&limit=${limit}`)).toEqual(problem(400, 'validation_failed'));
    }
  });
});

describe.each(['contacts', 'blocks'])('%s', (list) => {
  const change = (method: string, userId: string, by: Account) =>
    door.call(method, `/users/me/${list}/${userId}`, by.accessToken);

  it('list whom the caller has put there, newest first, page by page', async () => {
    const [owner, first, second] = [await door.signUp(), await door.signUp(), await door.signUp()];
    for (const { user } of [first, second, first]) {
      const answer = await change('PUT', user.userId, owner);
      expect([answer.status, answer.text]).toEqual([204, '']);
    }
    const all = await pages(`/users/me/${list}?limit=1`, owner);
    expect(all.map(({ items }) => items)).toEqual([[second.user], [first.user]]);
    expect((await get(`/users/me/${list}`, first)).body).toEqual({ items: [], nextCursor: null });
  });

  it('let go of whom the caller takes away, as often as asked', async () => {
    const [owner, other] = [await door.signUp(), await door.signUp()];
    await change('PUT', other.user.userId, owner);
    for (let time = 0; time < 2; time++) expect((await change('DELETE', other.user.userId, owner)).status).toBe(204);
    expect((await get(`/users/me/${list}`, owner)).body).toEqual({ items: [], nextCursor: null });
  });

  it('take nobody who does not exist, and not oneself', async () => {
    expect(await change('PUT', randomUUID(), ada)).toEqual(problem(404, 'not_found'));
    expect(await change('PUT', ada.user.userId, ada)).toEqual(problem(400, 'validation_failed'));
    expect(await change('PUT', 'me', ada)).toEqual(problem(400, 'validation_failed'));
  });

  it('are nobody’s without a token', async () => {
    expect(await door.call('GET', `/users/me/${list}`)).toEqual(problem(401, 'unauthenticated'));
    expect(await door.call('PUT', `/users/me/${list}/${randomUUID()}`)).toEqual(problem(401, 'unauthenticated'));
  });
});
