import { beforeEach, describe, expect, it } from 'vitest';
import { ParleyError } from './errors.js';
import type { ServerEvent } from './ports.js';
import { GAP_WAIT_MS } from './sync-engine.js';
import { ModelClient, NO_FAULTS, seededRandom } from './testing/faulty-network.js';
import { ModelServer } from './testing/model-server.js';
import { VirtualClock } from './testing/virtual-clock.js';
import type { Message, SyncAnswer } from './wire.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';

let clock: VirtualClock;
let server: ModelServer;
let client: ModelClient;
let posted = 0;
/** 60 messages, of which nothing is shown yet; nothing live reaches the client but what a test passes on. */
beforeEach(async () => {
  clock = new VirtualClock();
  server = new ModelServer([ADA, BOB]);
  client = new ModelClient(ADA, server, clock, seededRandom(1));
  for (let i = 0; i < 60; i++) post();
  await client.messenger.start();
  client.connect();
  await clock.advance(5_000);
  client.asked.length = 0;
});

const post = (senderId = BOB): Message => {
  server.post(senderId, `message ${posted}`, `m-${posted++}`, 'another device');
  return server.messages.at(-1) as Message;
};
const open = async (): Promise<void> => {
  client.messenger.timelines.open(server.conversationId);
  await clock.advance(1_000);
  client.asked.length = 0;
};
const track = () => client.messenger.tracks.get(server.conversationId);
const items = () => client.messenger.itemsOf(server.conversationId);
const contents = () => items().map(({ content }) => content);
const asked = (name: string) => client.asked.filter((one) => one.name === name).map(({ payload }) => payload);
const tell = (message: Message) => client.deliver({ name: 'new_message', payload: message });
const resync = () => client.deliver({ name: 'resync', payload: {} });
const lost = (): never => {
  throw new ParleyError('network', 'Lost');
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

describe('a sync', () => {
  it('begins where the last one ended, also after a reload, and not where one did that was broken off', async () => {
    const answers: string[] = [];
    const sync = server.sync.bind(server);
    server.sync = (request) => {
      const answer = sync(request);
      answers.push(answer.syncedAt);
      return answer;
    };
    const sinces = () => asked('sync').map((one) => (one as { since?: string }).since);
    post();
    resync();
    await clock.advance(2_000);
    await client.reload();
    client.connect();
    await clock.advance(0);
    expect(sinces().slice(1)).toEqual(answers.slice(0, 1));

    // Of two pages only the first comes.
    post();
    server.sync = (request) =>
      request.cursor === undefined ? ({ ...sync(request), nextCursor: 'next' } as SyncAnswer) : lost();
    resync();
    await clock.advance(0);
    server.sync = sync;
    await clock.advance(20_000);
    const [first, second, third, ...rest] = sinces().slice(2);
    expect([second, third]).toEqual([first, first]);
    expect(rest).toEqual([]);
  });

  it('that fails is tried again without waiting for anything else', async () => {
    await open();
    const message = post();
    const sync = server.sync.bind(server);
    server.sync = lost;
    resync();
    await clock.advance(0);
    expect(asked('sync')).toHaveLength(1);
    server.sync = sync;
    await clock.advance(1_000);
    expect(contents().at(-1)).toBe(message.content);
  });

  it('goes on until everything is here, at once', async () => {
    await open();
    client.cut();
    for (let i = 0; i < 350; i++) post();
    client.connect();
    await clock.advance(0);
    expect(contents().slice(-350)).toEqual(server.messages.slice(-350).map(({ content }) => content));
    expect(asked('sync')).toHaveLength(4);
  });

  it('that is asked for while one is under way follows it', async () => {
    const sync = server.sync.bind(server);
    server.sync = (request) => {
      server.sync = sync;
      client.messenger.take({ name: 'resync', payload: {} });
      return sync(request);
    };
    resync();
    await clock.advance(0);
    expect(asked('sync')).toHaveLength(2);
  });

  it('lets what came meanwhile be seen as soon as it ends', async () => {
    await open();
    const sync = server.sync.bind(server);
    let seen: string[] = [];
    client.onChange = () => (seen = contents());
    server.sync = (request) => {
      server.sync = sync;
      const answer = sync(request);
      client.messenger.take({ name: 'new_message', payload: post() });
      return answer;
    };
    resync();
    await clock.advance(0);
    expect(seen.at(-1)).toBe(server.messages.at(-1)?.content);
  });

  it('fetches a change that only a newer client knows, and what follows it does not wait', async () => {
    await open();
    const { conversationId } = server;
    server.onEvent = () => {};
    server.rename('Told under a name that this client does not know');
    const rev = server.conversation().lastRev;
    client.deliver({ name: 'message_pinned', payload: { conversationId, rev } } as unknown as ServerEvent);
    await clock.advance(GAP_WAIT_MS + 1);
    expect(track()?.rev).toBe(rev);
    tell(post());
    await clock.advance(1);
    expect(contents().at(-1)).toBe(server.messages.at(-1)?.content);
    for (const payload of [{}, { conversationId }, { rev }]) {
      client.deliver({ name: 'unheard_of', payload } as unknown as ServerEvent);
    }
    await clock.advance(GAP_WAIT_MS + 1);
    expect(asked('sync')).toHaveLength(1);
  });

  it('finds the conversation that a message is of when nobody told of it', async () => {
    const fresh = new ModelClient(ADA, server, clock, seededRandom(2));
    server.isMember = false;
    await fresh.messenger.start();
    fresh.connect();
    await clock.advance(0);
    expect(fresh.messenger.conversations).toEqual([]);
    server.isMember = true;
    fresh.deliver({ name: 'new_message', payload: post() });
    await clock.advance(1);
    expect(fresh.messenger.conversations).toHaveLength(1);
  });
});

describe('a new connection', () => {
  it('sends what waits, acknowledges what could not be, and loads what could not be, at once', async () => {
    const history = server.history.bind(server);
    server.history = lost;
    client.messenger.timelines.open(server.conversationId);
    await clock.advance(40_000);
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    client.cut();
    await add('unsent');
    server.history = history;
    client.faults = NO_FAULTS;
    client.asked.length = 0;
    client.connect();
    await clock.advance(0);
    expect(contents()).toHaveLength(50);
    expect(server.messages.at(-1)?.clientMsgId).toBe('unsent');
  });

  it('acknowledges again what was lost, though nothing has come since', async () => {
    await open();
    tell(post());
    await clock.advance(0);
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    await clock.advance(15_000);
    client.faults = NO_FAULTS;
    client.cut();
    // Nothing of a sync lets the timeline change.
    server.sync = lost;
    client.asked.length = 0;
    client.connect();
    await clock.advance(500);
    const { conversationId } = server;
    expect(asked('ack')).toEqual([{ conversationId, messageId: server.messages.at(-1)?.messageId }]);
  });

  it('is not needed for a page that did not come', async () => {
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    client.messenger.timelines.open(server.conversationId);
    await clock.advance(10_000);
    client.faults = NO_FAULTS;
    await clock.advance(500);
    expect(contents()).toHaveLength(50);
  });
});

describe('one’s own message', () => {
  it('whose answer is lost is sent once it is told, with and without a timeline', async () => {
    const losing = async (id: string): Promise<Message> => {
      client.faults = { ...NO_FAULTS, lostAnswer: 1 };
      await add(id);
      await clock.advance(1);
      client.faults = NO_FAULTS;
      return server.messages.at(-1) as Message;
    };
    tell(await losing('first'));
    await clock.advance(1);
    expect(client.messenger.outbox.entries).toEqual([]);
    await clock.advance(10_000);
    await open();
    await losing('second');
    server.post = lost;
    resync();
    await clock.advance(1);
    expect(client.messenger.outbox.entries).toEqual([]);
    expect(contents().filter((content) => content === 'second')).toHaveLength(1);
    await clock.advance(60_000);
    expect(asked('send_message')).toHaveLength(1);
    expect(await client.store.keys('outbox/')).toEqual([]);
  });

  it('is shown once, as sent and without a number, while something before it is missing', async () => {
    await open();
    const before = post();
    for (const id of ['first', 'second']) await add(id);
    await clock.advance(1);
    const own = () => items().filter(({ senderId }) => senderId === ADA);
    expect(own().map(({ content, seq, status }) => [content, seq, status])).toEqual([
      ['first', null, 'sent'],
      ['second', null, 'sent'],
    ]);
    tell(before);
    await clock.advance(1);
    expect(own().map(({ content, seq, status }) => [content, seq, status])).toEqual([
      ['first', 62, 'sent'],
      ['second', 63, 'sent'],
    ]);
    expect(new Set(items().map(({ key }) => key)).size).toBe(items().length);
  });
});

describe('an acknowledgement', () => {
  const ownLater = () => {
    const [theirs, mine] = [post(), post(ADA)];
    tell(mine);
    tell(theirs);
    return theirs.messageId;
  };

  it('is sent of somebody’s message though one’s own follows it', async () => {
    const unseen = ownLater();
    await clock.advance(1_000);
    expect(asked('ack')).toEqual([{ conversationId: server.conversationId, messageId: unseen }]);
    await open();
    const seen = ownLater();
    await clock.advance(1_000);
    expect(asked('ack')).toEqual([{ conversationId: server.conversationId, messageId: seen }]);
  });

  it('is sent of what came live here, though another device has read it already', async () => {
    await open();
    const { messageId } = post();
    const { conversationId } = server;
    tell(server.messages.at(-1) as Message);
    client.deliver({ name: 'read_receipt', payload: { conversationId, userId: ADA, lastReadMessageId: messageId } });
    await clock.advance(1_000);
    expect(asked('ack')).toEqual([{ conversationId, messageId }]);
  });
});

describe('the user’s own mark', () => {
  it('on a message that is not here is shown as the server answers it', async () => {
    await open();
    client.messenger.markRead(server.conversationId, server.messages[4]?.messageId);
    await clock.advance(1);
    expect(track()?.conversation).toMatchObject({ lastReadSeq: 5, unreadCount: 55 });
  });
});

describe('what is kept', () => {
  it('says whether there is more before it', async () => {
    await open();
    await clock.advance(2_000);
    await client.reload();
    client.messenger.timelines.open(server.conversationId);
    await clock.advance(0);
    expect(contents()).toHaveLength(50);
    expect(track()?.shown?.hasBefore).toBe(true);
  });

  it('is as far as it was shown, though the list knew more', async () => {
    await open();
    server.edit(60, 'edited');
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    client.messenger.meet(server.conversation());
    await clock.advance(2_000);
    await client.reload();
    client.faults = NO_FAULTS;
    client.messenger.timelines.open(server.conversationId);
    await clock.advance(0);
    expect(contents().at(-1)).not.toBe('edited');
    client.connect();
    await clock.advance(GAP_WAIT_MS);
    expect(contents().at(-1)).toBe('edited');
  });

  it('of more than 500 conversations is a part, which does not pass for all of them', async () => {
    const one = server.conversation();
    const state = async () =>
      JSON.parse((await client.store.get(`state/${ADA}`)) ?? '{}') as { since?: string; conversations: unknown[] };
    for (let i = 0; i < 499; i++) client.messenger.meet({ ...one, conversationId: `c${i}` });
    await clock.advance(1_000);
    expect(await state()).toMatchObject({ since: expect.any(String) as string });
    client.messenger.meet({ ...one, conversationId: 'one too many' });
    await clock.advance(1_000);
    expect((await state()).conversations).toHaveLength(500);
    expect((await state()).since).toBeUndefined();
  });
});
