import { beforeEach, describe, expect, it } from 'vitest';
import { connect, type ParleyClient } from './client.js';
import { ParleyError } from './errors.js';
import type { LinkListener } from './ports.js';
import type { Fetch } from './rest.js';
import { memoryStore, type ParleyStore } from './store.js';
import type { SyncRequest } from './sync-engine.js';
import { ModelServer } from './testing/model-server.js';
import { promisesSettled, VirtualClock } from './testing/virtual-clock.js';
import type { TimelineItem } from './timeline-items.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';

let server: ModelServer;
let client: ParleyClient;
let listener: LinkListener;
/** Requests of REST that wait until a test answers them; null to answer at once. */
let held: (() => void)[] | null;
let clock: VirtualClock;
let store: ParleyStore;
const faults: unknown[] = [];
beforeEach(async () => {
  faults.length = 0;
  server = new ModelServer([ADA, BOB]);
  server.post(BOB, 'before', 'bob-1');
  held = null;
  clock = new VirtualClock();
  store = memoryStore();
  client = await connect({
    url: 'http://server',
    token: 'token',
    userId: ADA,
    store,
    clock,
    random: () => 1,
    fetch,
    onFault: (fault) => faults.push(fault),
    openLink: async (_, listening) => {
      listener = listening;
      // Nothing that is sent is ever answered.
      const ask = async (name: string, payload: unknown) =>
        name === 'sync'
          ? { ok: true, ...server.sync(payload as SyncRequest) }
          : name === 'send_message'
            ? new Promise(() => {})
            : { ok: true };
      return { ask: ask as never, close: () => {} };
    },
  });
  await clock.advance(1_000);
});

const fetch: Fetch = async (url) => {
  const { pathname } = new URL(url);
  const answer = (status: number, body: unknown) => ({
    ok: status < 400,
    status,
    headers: { get: () => null },
    text: async () => JSON.stringify(body),
  });
  const gone = answer(404, { code: 'not_found', detail: 'No such conversation', retryable: false });
  if (pathname === '/v1/users/me') return answer(200, { userId: ADA });
  const isKnown = pathname.startsWith(`/v1/conversations/${server.conversationId}`);
  if (!isKnown || !server.isMember) return gone;
  const made = answer(200, pathname.endsWith('/messages') ? server.history({}, 50) : server.conversation());
  if (held) await new Promise<void>((done) => held?.push(done));
  return made;
};
const takeOut = (): void => {
  server.changeMember(ADA);
  listener.event({ name: 'conversation_removed', payload: { conversationId: server.conversationId } });
};
const takeBack = (): void => {
  server.changeMember(ADA);
  listener.event({ name: 'conversation_created', payload: server.conversation() });
};
const settled = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await promisesSettled();
};
const linesOf = (items: readonly TimelineItem[]) => items.map(({ content, status }) => `${content} ${status}`);

describe('a conversation from which the user is taken out', () => {
  it('shows what was unsent as failed, says that it has ended, and says nothing after that', async () => {
    const conversation = await client.conversation(server.conversationId);
    const told: string[] = [];
    conversation.on('removed', () => told.push('removed'));
    conversation.on('details', () => told.push('details'));
    const clientMsgId = await conversation.send('unsent');
    conversation.subscribe((items) => told.push(linesOf(items).join()));
    await settled();
    expect(told.at(-1)).toBe('before received,unsent sending');
    takeOut();
    expect(told.slice(-2)).toEqual(['before received,unsent failed', 'removed']);
    const many = told.length;
    await settled();
    expect(client.conversations).toEqual([]);
    expect(conversation.isRemoved).toBe(true);
    expect(() => conversation.details).toThrow(ParleyError);
    await expect(conversation.send('more')).rejects.toMatchObject({ code: 'not_found' });
    expect(linesOf(conversation.timeline)).toEqual(['before received', 'unsent failed']);
    expect(conversation.discard(clientMsgId)).toBe(true);
    expect(linesOf(conversation.timeline)).toEqual(['before received']);
    takeBack();
    server.post(BOB, 'after', 'bob-2');
    await settled();
    expect(told).toHaveLength(many);
  });

  it('is another one after the return, which can send again what was left', async () => {
    const before = await client.conversation(server.conversationId);
    const clientMsgId = await before.send('unsent');
    expect(client.unsentCount).toBe(1);
    takeOut();
    expect(client.unsentCount, 'of what nothing can show or send').toBe(0);
    takeBack();
    expect(client.unsentCount).toBe(1);
    const after = await client.conversation(server.conversationId);
    expect(after).not.toBe(before);
    expect(before.isRemoved).toBe(true);
    expect(after.isRemoved).toBe(false);
    let shown: string[] = [];
    after.subscribe((items) => (shown = linesOf(items)));
    await settled();
    expect(shown).toEqual(['unsent failed']);
    expect(after.retry(clientMsgId)).toBe(true);
    await settled();
    expect(shown).toEqual(['unsent sending']);
  });

  it('is not there because an answer was under way', async () => {
    takeOut();
    server.changeMember(ADA);
    held = [];
    const asked = client.conversation(server.conversationId).catch((cause: unknown) => cause);
    await settled();
    expect(held).toHaveLength(1);
    takeOut();
    held[0]?.();
    await settled();
    expect(await asked).toMatchObject({ code: 'not_found', status: 404 });
    expect(client.conversations).toEqual([]);
  });
});

describe('a listener of the application', () => {
  it('that throws or rejects when it is first called is subscribed all the same, and can be taken away', async () => {
    const conversation = await client.conversation(server.conversationId);
    conversation.subscribe(() => {});
    await settled();
    let calls = 0;
    const end = conversation.subscribe(() => {
      calls++;
      throw new Error('cannot show that');
    });
    conversation.subscribe(async () => Promise.reject(new Error('nor that')))();
    client.watchPresence([BOB], async () => Promise.reject(new Error('nor them')))();
    await settled();
    expect(faults.map(String)).toEqual(['Error: cannot show that', 'Error: nor that', 'Error: nor them']);
    server.post(BOB, 'more', 'bob-3');
    listener.event({ name: 'new_message', payload: server.messages.at(-1)! });
    await settled();
    expect(calls).toBe(2);
    end();
    await conversation.send('and more');
    await settled();
    expect(calls).toBe(2);
  });
});

describe('a client that was closed', () => {
  it('stays closed, also when it is told to reconnect', async () => {
    const states: string[] = [];
    client.on('connection', ({ status }) => states.push(status));
    await client.close();
    client.reconnect();
    client.setActive(true);
    await clock.advance(60_000);
    expect(client.connectionState).toEqual({ status: 'closed', error: null });
    expect(states).toEqual(['closed']);
    await client.close();
  });

  it('keeps nothing any more of what still comes in', async () => {
    const conversation = await client.conversation(server.conversationId);
    conversation.subscribe(() => {});
    await settled();
    held = [];
    const renamed = conversation.rename('a secret');
    await clock.advance(2_000);
    await client.close();
    for (const key of await store.keys('')) await store.delete(key);
    held[0]?.();
    await renamed;
    await clock.advance(5_000);
    expect(await store.keys('')).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});

describe('a message', () => {
  it('is sent once, and shown once, however often it is sent with one clientMsgId', async () => {
    const conversation = await client.conversation(server.conversationId);
    conversation.subscribe(() => {});
    await settled();
    for (let i = 0; i < 3; i++) await conversation.send('twice', { clientMsgId: 'same' });
    expect(linesOf(conversation.timeline)).toEqual(['before received', 'twice sending']);
    expect(await store.keys('outbox/')).toHaveLength(1);
  });

  it('that is no text is refused, and keeps nothing from being sent', async () => {
    const conversation = await client.conversation(server.conversationId);
    for (const content of [undefined, null, 5, {}])
      await expect(conversation.send(content as never)).rejects.toMatchObject({ code: 'validation_failed' });
    expect(client.unsentCount).toBe(0);
  });
});

describe('an id that is none', () => {
  it('leads to nothing else, and nothing else is taken for a conversation', async () => {
    for (const id of ['../users/me', '', '..', `${server.conversationId}/messages`, '\ud800'])
      await expect(client.conversation(id)).rejects.toMatchObject({ name: 'ParleyError', code: 'not_found' });
    await settled();
    expect(client.conversations.map(({ conversationId }) => conversationId)).toEqual([server.conversationId]);
  });
});
