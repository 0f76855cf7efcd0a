import { beforeEach, describe, expect, it } from 'vitest';
import { GAP_WAIT_MS } from './sync-engine.js';
import { ModelClient, NO_FAULTS, seededRandom } from './testing/faulty-network.js';
import { ModelServer } from './testing/model-server.js';
import { VirtualClock } from './testing/virtual-clock.js';
import type { Message } from './wire.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';

let clock: VirtualClock;
let server: ModelServer;
let client: ModelClient;
/** What the server tells, held back until a test passes it on. */
let told: Message[];
beforeEach(async () => {
  clock = new VirtualClock();
  server = new ModelServer([ADA, BOB]);
  told = [];
  client = new ModelClient(ADA, server, clock, seededRandom(1));
  for (let i = 1; i <= 3; i++) post(`before ${i}`);
  await client.messenger.start();
  client.connect();
  client.messenger.timelines.open(server.conversationId);
  await clock.advance(1_000);
  client.asked.length = 0;
  server.onEvent = (event, by) => {
    if (event.name === 'new_message' && by !== ADA) told.push(event.payload);
  };
});

let posted = 0;
const post = (content: string) => server.post(BOB, content, `bob-${posted++}`);
const pass = (message: Message | undefined) => {
  if (message) client.deliver({ name: 'new_message', payload: message });
};
const contents = () => client.messenger.itemsOf(server.conversationId).map(({ content }) => content);
const statuses = () => client.messenger.itemsOf(server.conversationId).map(({ status }) => status);
const asked = (name: string) => client.asked.filter((one) => one.name === name).map(({ payload }) => payload);
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

describe('a gap', () => {
  it('that closes by itself within 200 ms costs no request', async () => {
    post('first');
    post('second');
    pass(told[1]);
    await clock.advance(GAP_WAIT_MS - 1);
    expect(contents()).not.toContain('second');
    pass(told[0]);
    await clock.advance(1_000);
    expect(contents().slice(-2)).toEqual(['first', 'second']);
    expect(asked('sync')).toEqual([]);
  });

  it('that does not is fetched once, after 200 ms', async () => {
    for (const content of ['first', 'second', 'third']) post(content);
    pass(told[1]);
    pass(told[2]);
    await clock.advance(GAP_WAIT_MS - 1);
    expect(asked('sync')).toEqual([]);
    await clock.advance(2);
    expect(asked('sync')).toHaveLength(1);
    expect(contents().slice(-3)).toEqual(['first', 'second', 'third']);
  });

  it('at the end is found by heads and by resync', async () => {
    post('lost');
    client.deliver(server.heads());
    await clock.advance(GAP_WAIT_MS + 1);
    expect(contents().at(-1)).toBe('lost');
    post('lost too');
    client.deliver({ name: 'resync', payload: {} });
    await clock.advance(1);
    expect(contents().at(-1)).toBe('lost too');
  });

  it('that heads tell of while a sync is under way is not taken for filled by that sync', async () => {
    post('lost');
    const sync = server.sync.bind(server);
    server.sync = (request) => {
      const answer = sync(request);
      server.sync = sync;
      post('lost after the answer was made');
      client.messenger.take(server.heads());
      return answer;
    };
    client.deliver({ name: 'resync', payload: {} });
    await clock.advance(1_000);
    expect(contents().slice(-2)).toEqual(['lost', 'lost after the answer was made']);
  });

  it('that the server knows nothing of is not asked for again and again', async () => {
    const track = client.messenger.tracks.get(server.conversationId);
    // A part of the timeline that cannot be placed, as after pages that overtook each other.
    track?.receive({ kind: 'change', rev: track.rev + 1, message: { ...(server.messages[2] as Message), rev: 99 } });
    server.rev++;
    Object.assign(track ?? {}, { isBehind: true });
    client.deliver({ name: 'resync', payload: {} });
    await clock.advance(60_000);
    expect(asked('sync').length).toBeLessThanOrEqual(2);
    expect(track?.needsSync).toBe(false);
  });

  it('that one does not have makes heads cost nothing', async () => {
    client.deliver(server.heads());
    await clock.advance(60_000);
    expect(asked('sync')).toEqual([]);
  });
});

describe('a page of older messages', () => {
  it('that was read before an edit and comes after it shows the edit', async () => {
    client.cut();
    // Too many to catch up with, so that only the last page is here.
    for (let i = 0; i < 5_100; i++) post(`missed ${i}`);
    client.connect();
    await clock.advance(1_000);
    expect(contents()).toHaveLength(50);
    const onThePage = server.messages.length - 60;
    client.faults = { ...NO_FAULTS, delayMsMax: 1_000 };
    const older = client.messenger.timelines.loadOlder(server.conversationId);
    // The request has reached the server, and its answer is under way.
    await clock.advance(990);
    client.faults = NO_FAULTS;
    server.onEvent = (event) => client.deliver(event);
    server.edit(onThePage, 'edited meanwhile');
    await clock.advance(3_000);
    await older;
    expect(contents()).toHaveLength(100);
    expect(contents()).toContain('edited meanwhile');
  });
});

describe('acknowledgements', () => {
  it('are gathered for 200 ms and name the last message only', async () => {
    for (let i = 0; i < 5; i++) post(`message ${i}`);
    for (const message of told) pass(message);
    await clock.advance(199);
    expect(asked('ack')).toEqual([]);
    await clock.advance(1);
    expect(asked('ack')).toEqual([{ conversationId: server.conversationId, messageId: told.at(-1)?.messageId }]);
  });

  it('stop before a gap', async () => {
    for (let i = 0; i < 3; i++) post(`message ${i}`);
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    pass(told[0]);
    pass(told[2]);
    await clock.advance(5_000);
    expect(asked('ack')).toEqual([{ conversationId: server.conversationId, messageId: told[0]?.messageId }]);
  });

  it('are not sent for what is known already, nor for one’s own messages', async () => {
    post('once');
    pass(told[0]);
    await clock.advance(1_000);
    pass(told[0]);
    await add('mine');
    await clock.advance(1_000);
    expect(asked('ack')).toHaveLength(1);
  });
});

describe('a discontinuity', () => {
  it('is told when the server is behind what the client has, and the timeline is loaded anew', async () => {
    server.messages.length = 1;
    server.rev = 2;
    client.cut();
    client.connect();
    await clock.advance(1_000);
    expect(client.discontinuities).toEqual(['reset']);
    expect(contents()).toEqual(['before 1']);
    post('after');
    pass(told[0]);
    await clock.advance(1_000);
    expect(contents()).toEqual(['before 1', 'after']);
    expect(client.discontinuities).toEqual(['reset']);
  });

  it('is told when more than 5,000 messages are missing, instead of fetching them all', async () => {
    client.cut();
    for (let i = 0; i < 5_001; i++) post(`missed ${i}`);
    client.connect();
    await clock.advance(1_000);
    expect(client.discontinuities).toEqual(['too_far_behind']);
    expect(contents()).toHaveLength(50);
    expect(contents().at(-1)).toBe('missed 5000');
  });
});

describe('a send', () => {
  it('that is answered accepted is sent once its ack comes', async () => {
    client.faults = { ...NO_FAULTS, accepted: 1 };
    await add('one');
    expect(statuses().at(-1)).toBe('sending');
    await clock.advance(1);
    expect(statuses().at(-1)).toBe('sent');
    expect(asked('send_message')).toHaveLength(1);
  });

  it('that is accepted and never heard of is sent again after 10 s, with the same clientMsgId', async () => {
    client.faults = { ...NO_FAULTS, accepted: 1, lostEvent: 1 };
    await add('one');
    await clock.advance(9_999);
    expect(asked('send_message')).toHaveLength(1);
    client.faults = NO_FAULTS;
    await clock.advance(2);
    expect(asked('send_message')).toHaveLength(2);
    expect(server.messages.filter(({ senderId }) => senderId === ADA)).toHaveLength(1);
    expect(statuses().at(-1)).toBe('sent');
  });

  it('waits for the one before it, and keeps its place in what is shown', async () => {
    client.faults = { ...NO_FAULTS, lostAnswer: 1 };
    await add('one');
    await add('two');
    await clock.advance(1);
    post('between');
    pass(told[0]);
    await clock.advance(9_000);
    expect(asked('send_message')).toHaveLength(1);
    client.faults = NO_FAULTS;
    await clock.advance(20_000);
    expect(contents().slice(-3)).toEqual(['one', 'between', 'two']);
  });

  it('is refused with a reason when there are 1,000 that wait', async () => {
    client.cut();
    for (let i = 0; i < 1_000; i++) await add(`m-${i}`);
    await expect(add('one too many')).rejects.toMatchObject({ code: 'outbox_full', retryable: true });
    expect(client.messenger.outbox.entries).toHaveLength(1_000);
  });
});

describe('a read mark', () => {
  it('that the server has not heard of is told after a reload', async () => {
    const newest = server.messages.at(-1)?.messageId ?? '';
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    client.messenger.markRead(server.conversationId);
    await clock.advance(100);
    await client.reload();
    client.faults = NO_FAULTS;
    client.asked.length = 0;
    client.connect();
    await clock.advance(1_000);
    expect(asked('read_receipt')).toEqual([{ conversationId: server.conversationId, lastReadMessageId: newest }]);
    expect(server.conversation().lastReadSeq).toBe(3);
    await client.reload();
    client.asked.length = 0;
    client.connect();
    await clock.advance(1_000);
    expect(asked('read_receipt')).toEqual([]);
  });
});

describe('the status of a message', () => {
  it('is read once another member has answered', async () => {
    await add('one');
    await clock.advance(1);
    expect(statuses().at(-1)).toBe('sent');
    post('answer');
    pass(told[0]);
    await clock.advance(1);
    expect(statuses().slice(-2)).toEqual(['read', 'received']);
    const marks = client.messenger.tracks.get(server.conversationId)?.conversation.members;
    expect(marks).toEqual(server.conversation().members);
  });

  it('stays what it was when the member who has read it leaves', async () => {
    await add('one');
    await clock.advance(1);
    server.onEvent = (event) => client.deliver(event);
    server.mark(BOB, 'lastReadMessageId', 4);
    await clock.advance(1);
    expect(statuses().at(-1)).toBe('read');
    server.changeMember(BOB);
    await clock.advance(1);
    expect(client.messenger.tracks.get(server.conversationId)?.conversation.members).toHaveLength(1);
    expect(statuses().at(-1)).toBe('read');
    await add('two');
    await clock.advance(1);
    expect(statuses().slice(-2)).toEqual(['read', 'sent']);
  });
});

describe('the read mark of another device of the user', () => {
  const readElsewhere = (messageId: string) => {
    const { conversationId } = server;
    server.read({ lastReadMessageId: messageId }, 'another device');
    client.deliver({ name: 'read_receipt', payload: { conversationId, userId: ADA, lastReadMessageId: messageId } });
  };
  const unread = () => client.messenger.tracks.get(server.conversationId)?.conversation.unreadCount;

  it('that overtakes the message it is on costs no request', async () => {
    post('first');
    post('second');
    readElsewhere(told[1]?.messageId ?? '');
    readElsewhere(told[0]?.messageId ?? '');
    await clock.advance(GAP_WAIT_MS - 1);
    pass(told[0]);
    pass(told[1]);
    await clock.advance(5_000);
    expect(unread()).toBe(0);
    expect(client.messenger.tracks.get(server.conversationId)?.conversation.lastReadSeq).toBe(5);
    expect(asked('sync')).toEqual([]);
  });

  it('on a message that is not here is asked for, once', async () => {
    await client.messenger.stop();
    await client.store.delete(`window/${ADA}/${server.conversationId}`);
    for (let i = 0; i < 60; i++) post(`more ${i}`);
    await client.reload();
    client.connect();
    client.messenger.timelines.open(server.conversationId);
    await clock.advance(1_000);
    client.asked.length = 0;
    readElsewhere(server.messages[5]?.messageId ?? '');
    await clock.advance(GAP_WAIT_MS - 1);
    expect(asked('sync')).toEqual([]);
    await clock.advance(60_000);
    expect(asked('sync')).toHaveLength(1);
    expect(unread()).toBe(57);
  });

  it('does not move back to where another one was, nor on what is here already', async () => {
    readElsewhere(server.messages[2]?.messageId ?? '');
    await clock.advance(0);
    expect(unread()).toBe(0);
    readElsewhere(server.messages[0]?.messageId ?? '');
    await clock.advance(1_000);
    expect(unread()).toBe(0);
    expect(asked('sync')).toEqual([]);
  });
});

describe('a client that has ended', () => {
  it('leaves no timer behind', async () => {
    await add('unsent');
    client.cut();
    post('unseen');
    await client.messenger.stop();
    // A request that is under way has its own time-out.
    await clock.advance(10_000);
    expect(clock.waiting).toBe(0);
  });
});
