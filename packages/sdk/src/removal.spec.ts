import { beforeEach, describe, expect, it } from 'vitest';
import { GAP_WAIT_MS } from './sync-engine.js';
import { ModelClient, NO_FAULTS, seededRandom } from './testing/faulty-network.js';
import { ModelServer } from './testing/model-server.js';
import { VirtualClock } from './testing/virtual-clock.js';
import type { Conversation, SyncAnswer } from './wire.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';

let clock: VirtualClock;
let server: ModelServer;
let client: ModelClient;
let posted = 0;
let removals: number;
/** A conversation of three messages that the client has; nothing live reaches it but what a test passes on. */
beforeEach(async () => {
  clock = new VirtualClock();
  removals = 0;
  server = new ModelServer([ADA, BOB]);
  client = new ModelClient(ADA, server, clock, seededRandom(1));
  for (let i = 1; i <= 3; i++) post(`before ${i}`);
  await client.messenger.start();
  client.connect();
  open();
  await clock.advance(5_000);
  client.asked.length = 0;
});

const post = (content: string) => server.post(BOB, content, `bob-${posted++}`);
const open = () => client.messenger.timelines.open(server.conversationId);
const track = () => client.messenger.tracks.get(server.conversationId);
const contents = () => client.messenger.itemsOf(server.conversationId).map(({ content }) => content);
const asked = (name: string) => client.asked.filter((one) => one.name === name).map(({ payload }) => payload);
const takeOut = (isTold = true): void => {
  server.changeMember(ADA);
  const { conversationId } = server;
  if (isTold) client.messenger.take({ name: 'conversation_removed', payload: { conversationId } });
};
const takeBack = (isTold = true): void => {
  server.changeMember(ADA);
  if (isTold) client.messenger.take({ name: 'conversation_created', payload: server.conversation() });
};
/** Between the next sync's being answered and its answer's arrival. */
const duringSync = (act: () => void, change: (answer: SyncAnswer) => SyncAnswer = (answer) => answer): void => {
  const sync = server.sync.bind(server);
  server.sync = (request) => {
    server.sync = sync;
    const answer = change(sync(request));
    act();
    return answer;
  };
  client.messenger.take({ name: 'resync', payload: {} });
};
const add = (clientMsgId: string) =>
  client.messenger.outbox.add({
    clientMsgId,
    conversationId: server.conversationId,
    content: clientMsgId,
    contentType: 'text',
    mediaIds: [],
    replyToMessageId: null,
    createdAtMs: clock.now(),
    failure: null,
  });

describe('an answer that was made before a removal and comes after it', () => {
  it('of a sync does not bring the conversation back', async () => {
    post('unseen');
    let wasBack = false;
    duringSync(() => {
      takeOut();
      client.onChange = () => (wasBack ||= client.messenger.conversations.length > 0);
    });
    await clock.advance(1_000);
    expect(wasBack).toBe(false);
    expect(track()).toBeUndefined();
    // What was left out is asked for again, once.
    expect(asked('sync')).toHaveLength(2);
  });

  it('of a sync does not bring back one that the client had never heard of', async () => {
    const fresh = new ModelClient(ADA, server, clock, seededRandom(2));
    const sync = server.sync.bind(server);
    server.sync = (request) => {
      const answer = sync(request);
      server.sync = sync;
      server.changeMember(ADA);
      const { conversationId } = server;
      fresh.messenger.take({ name: 'conversation_removed', payload: { conversationId } });
      return answer;
    };
    await fresh.messenger.start();
    fresh.connect();
    await clock.advance(1_000);
    expect(fresh.messenger.conversations).toEqual([]);
  });

  it('of a call does not bring the conversation back, and what the server says now is asked for', async () => {
    const before = server.conversation();
    let answer: (conversation: Conversation) => void = () => {};
    const shown = client.messenger.meetAnswer(() => new Promise((done) => (answer = done)));
    takeOut();
    answer(before);
    expect(await shown).toEqual(before);
    await clock.advance(0);
    expect(track()).toBeUndefined();
    expect(asked('sync')).toHaveLength(1);
    takeBack(false);
    client.messenger.take({ name: 'resync', payload: {} });
    await clock.advance(0);
    expect(track()?.conversation).toEqual(server.conversation());
  });

  it('does not change what came when the user was back', async () => {
    post('unseen');
    duringSync(() => {
      takeOut();
      takeBack();
      open();
    });
    await clock.advance(1_000);
    expect(contents()).toEqual([]);
    expect(track()?.conversation).toEqual(server.conversation());
    post('after coming back');
    client.messenger.take(server.heads());
    await clock.advance(GAP_WAIT_MS + 1);
    expect(contents()).toEqual(['after coming back']);
    expect(client.discontinuities).toEqual([]);
  });
});

describe('an answer about where the user was before it left and came back', () => {
  it('does not break off what is shown since', async () => {
    takeOut(false);
    post('while away');
    takeBack(false);
    duringSync(() => {
      const { conversationId } = server;
      client.messenger.take({ name: 'conversation_removed', payload: { conversationId } });
      client.messenger.take({ name: 'conversation_created', payload: server.conversation() });
      open();
      // Only this answer takes long: the page is here before it.
      client.faults = { ...NO_FAULTS, delayMsMax: 1_000 };
      queueMicrotask(() => (client.faults = NO_FAULTS));
    });
    await clock.advance(5_000);
    expect(track()?.window).not.toBeNull();
    expect(client.discontinuities).toEqual([]);
  });
});

describe('an answer that was made while the user was out and comes after the return', () => {
  it('of a sync that names what is gone does not take the conversation away', async () => {
    takeOut(false);
    client.onRemoved = () => removals++;
    duringSync(takeBack);
    await clock.advance(1_000);
    expect(removals).toBe(0);
    expect(track()?.conversation).toEqual(server.conversation());
    expect(asked('sync').length).toBeLessThanOrEqual(2);
  });

  it('of a sync of everything does not take the conversation away', async () => {
    takeOut(false);
    // The server does not know the place any more, so everything is told again.
    const sync = server.sync.bind(server);
    const refuse = (): SyncAnswer => {
      server.sync = sync;
      throw Object.assign(new Error('No such place'), { code: 'validation_failed', status: 400, retryable: false });
    };
    server.sync = refuse;
    client.messenger.take({ name: 'resync', payload: {} });
    await clock.advance(0);
    client.onRemoved = () => removals++;
    duringSync(takeBack, (answer) => ({ ...answer, removed: [] }));
    await clock.advance(20_000);
    expect(removals).toBe(0);
    expect(track()?.conversation).toEqual(server.conversation());
  });
});

describe('a removal that nobody told', () => {
  it('is learned from a sync', async () => {
    takeOut(false);
    client.messenger.take({ name: 'resync', payload: {} });
    await clock.advance(0);
    expect(track()).toBeUndefined();
  });

  it('is learned from a sync of everything, which leaves out what is gone', async () => {
    await client.messenger.stop();
    const kept = JSON.parse((await client.store.get(`state/${ADA}`)) ?? '{}') as Record<string, unknown>;
    await client.store.set(`state/${ADA}`, JSON.stringify({ ...kept, since: undefined }));
    await client.reload();
    expect(track()).toBeDefined();
    takeOut(false);
    const sync = server.sync.bind(server);
    server.sync = (request) => ({ ...sync(request), removed: [] });
    client.connect();
    await clock.advance(1_000);
    expect(track()).toBeUndefined();
  });
});

describe('at a removal', () => {
  it('what is unsent fails with the reason, in a last look at the timeline', async () => {
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    await add('under way');
    await add('waiting');
    const looks: string[][] = [];
    client.onChange = () =>
      looks.push(client.messenger.itemsOf(server.conversationId).map(({ content, status }) => `${content} ${status}`));
    takeOut();
    expect(looks.at(-1)).toEqual([
      ...[1, 2, 3].map((i) => `before ${i} received`),
      'under way failed',
      'waiting failed',
    ]);
    const failures = client.messenger.outbox.entries.map(({ failure }) => failure);
    expect(failures).toEqual([1, 2].map(() => expect.objectContaining({ code: 'not_found', retryable: false })));
    client.faults = NO_FAULTS;
    client.asked.length = 0;
    await clock.advance(60_000);
    expect(asked('send_message')).toEqual([]);
    // They can be read, sent again or thrown away by whoever comes back.
    takeBack();
    open();
    await clock.advance(0);
    expect(contents()).toEqual(['under way', 'waiting']);
    expect(client.messenger.outbox.retry('waiting')).toBe(true);
    expect(client.messenger.outbox.discard('under way')).toBe(true);
    await clock.advance(0);
    expect(contents()).toEqual(['waiting']);
    expect(server.messages.at(-1)?.content).toBe('waiting');
  });

  it('a message that was stored just before it does not stay as a failed one', async () => {
    client.faults = { ...NO_FAULTS, delayMsMax: 1_000 };
    await add('stored');
    while (server.messages.at(-1)?.content !== 'stored') await clock.advance(1);
    takeOut();
    expect(client.messenger.outbox.entries).toHaveLength(1);
    await clock.advance(2_000);
    expect(client.messenger.outbox.entries).toEqual([]);
    expect(await client.store.keys('outbox/')).toEqual([]);
  });

  it('nothing of it stays in the store, though a save is under way', async () => {
    const { store } = client;
    expect(await store.keys('window/')).toHaveLength(1);
    const set = store.set.bind(store);
    let goOn = (): void => {};
    store.set = async (key, value) => {
      if (key.startsWith('state/')) await new Promise<void>((done) => (goOn = done));
      await set(key, value);
    };
    post('unsaved');
    client.messenger.take({ name: 'new_message', payload: server.messages[3] as (typeof server.messages)[number] });
    await clock.advance(1_000);
    takeOut();
    store.set = set;
    goOn();
    await clock.advance(1_000);
    expect(await store.keys('window/')).toEqual([]);
    expect(JSON.parse((await store.get(`state/${ADA}`)) ?? '')).toMatchObject({ conversations: [], reads: [] });
  });

  it('nobody is typing there any more, and nothing of it is told to the server', async () => {
    const { conversationId } = server;
    post('unread');
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    client.messenger.take({ name: 'new_message', payload: server.messages[3] as (typeof server.messages)[number] });
    client.messenger.markRead(conversationId);
    client.messenger.take({ name: 'typing_indicator', payload: { conversationId, userId: BOB, isTyping: true } });
    expect(client.messenger.typing.in(conversationId)).toEqual([BOB]);
    takeOut();
    expect(client.messenger.typing.in(conversationId)).toEqual([]);
    client.faults = NO_FAULTS;
    client.asked.length = 0;
    await clock.advance(60_000);
    client.cut();
    client.connect();
    await clock.advance(10_000);
    expect(client.asked.map(({ name }) => name)).toEqual(['sync']);
    expect(clock.waiting).toBeLessThanOrEqual(2);
  });
});

describe('whoever comes back', () => {
  it('without having heard of it is told so, and sees nothing of before', async () => {
    client.cut();
    takeOut(false);
    post('while away');
    takeBack(false);
    post('after the return');
    client.connect();
    await clock.advance(1_000);
    expect(client.discontinuities).toEqual(['rejoined']);
    expect(contents()).toEqual(['after the return']);
  });

  it('acknowledges and marks as read anew', async () => {
    takeOut();
    takeBack();
    open();
    post('first after the return');
    client.messenger.take({ name: 'new_message', payload: server.messages[3] as (typeof server.messages)[number] });
    await clock.advance(1_000);
    const { conversationId } = server;
    const messageId = server.messages[3]?.messageId;
    expect(asked('ack')).toEqual([{ conversationId, messageId }]);
    client.messenger.markRead(conversationId);
    expect(asked('read_receipt')).toEqual([{ conversationId, lastReadMessageId: messageId }]);
  });

  it('has a gap filled that opens while one of before still has its time', async () => {
    post('lost');
    client.messenger.take(server.heads());
    takeOut();
    takeBack();
    open();
    await clock.advance(1);
    client.asked.length = 0;
    post('lost too');
    client.messenger.take(server.heads());
    await clock.advance(2 * GAP_WAIT_MS);
    expect(asked('sync')).toHaveLength(1);
    expect(contents()).toEqual(['lost too']);
  });
});
