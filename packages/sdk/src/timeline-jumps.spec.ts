import { beforeEach, describe, expect, it } from 'vitest';
import { ModelClient, NO_FAULTS, seededRandom } from './testing/faulty-network.js';
import { ModelServer } from './testing/model-server.js';
import { VirtualClock } from './testing/virtual-clock.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';

let clock: VirtualClock;
let server: ModelServer;
let client: ModelClient;
let posted = 0;
/** 400 messages, of which the client has the last 50; what is told is passed on at once. */
beforeEach(async () => {
  clock = new VirtualClock();
  server = new ModelServer([ADA, BOB]);
  client = new ModelClient(ADA, server, clock, seededRandom(1));
  for (let i = 1; i <= 400; i++) post(`message ${i}`);
  await client.messenger.start();
  client.connect();
  timelines().open(server.conversationId);
  await clock.advance(1_000);
  expect(seqs()).toEqual(range(351, 400));
  server.onEvent = (event) => client.deliver(event);
});

const post = (content: string) => server.post(BOB, content, `bob-${posted++}`);
const contents = () => client.messenger.itemsOf(server.conversationId).map(({ content }) => content);
const seqs = () => client.messenger.itemsOf(server.conversationId).map(({ seq }) => seq);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const idOf = (seq: number) => server.messages[seq - 1]?.messageId ?? '';
const timelines = () => client.messenger.timelines;
const settled = async <Value>(work: Promise<Value>) => {
  // It may reject while time goes on.
  work.catch(() => {});
  await clock.advance(0);
  return work;
};
const asked = (name: string) => client.asked.filter((one) => one.name === name).map(({ payload }) => payload);

describe('a jump', () => {
  it('shows what is around a message, goes on both ways, and becomes one with the live end without a jump', async () => {
    const target = await settled(timelines().jumpTo(server.conversationId, idOf(200)));
    expect(target?.seq).toBe(200);
    expect(seqs()).toEqual(range(176, 225));
    expect(await settled(timelines().loadOlder(server.conversationId))).toBe(true);
    expect(seqs()).toEqual(range(126, 225));
    for (const end of [275, 325]) {
      expect(await settled(timelines().loadNewer(server.conversationId))).toBe(true);
      expect(seqs()).toEqual(range(126, end));
    }
    post('live meanwhile');
    await clock.advance(0);
    expect(seqs()).toEqual(range(126, 325));
    expect(await settled(timelines().loadNewer(server.conversationId))).toBe(false);
    expect(seqs()).toEqual(range(126, 401));
    post('live');
    await clock.advance(0);
    expect(seqs()).toEqual(range(126, 402));
  });

  it('shows edits of what it shows, also of what was under way, and keeps acknowledging live messages', async () => {
    await settled(timelines().jumpTo(server.conversationId, idOf(200)));
    client.asked.length = 0;
    server.edit(190, 'edited');
    const newest = post('unseen here').messageId;
    client.faults = { ...NO_FAULTS, delayMsMax: 1_000 };
    const newer = timelines().loadNewer(server.conversationId);
    await clock.advance(990);
    client.faults = NO_FAULTS;
    server.edit(230, 'edited meanwhile');
    await clock.advance(3_000);
    await newer;
    expect(seqs()).toEqual(range(176, 275));
    expect(contents().filter((content) => content.startsWith('edited'))).toEqual(['edited', 'edited meanwhile']);
    expect(asked('ack').at(-1)).toEqual({ conversationId: server.conversationId, messageId: newest });
  });

  it('to what is there already, or at the live end, asks for nothing', async () => {
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    expect((await settled(timelines().jumpTo(server.conversationId, idOf(380))))?.seq).toBe(380);
    client.faults = NO_FAULTS;
    await settled(timelines().jumpTo(server.conversationId, idOf(200)));
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    expect((await settled(timelines().jumpTo(server.conversationId, idOf(201))))?.seq).toBe(201);
    expect(seqs()).toEqual(range(176, 225));
    await settled(timelines().jumpTo(server.conversationId, idOf(370)));
    expect(seqs()).toEqual(range(351, 400));
  });

  it('to the first unread message finds it, and stays at the live end when there is none', async () => {
    client.messenger.markRead(server.conversationId, idOf(400));
    await clock.advance(0);
    expect(await settled(timelines().jumpTo(server.conversationId, 'first_unread'))).toBeNull();
    for (let i = 0; i < 10; i++) post(`unread ${i}`);
    await clock.advance(0);
    expect((await settled(timelines().jumpTo(server.conversationId, 'first_unread')))?.seq).toBe(401);
    expect(seqs()).toEqual(range(351, 410));
  });

  it('that is overtaken by another one changes nothing', async () => {
    client.faults = { ...NO_FAULTS, delayMsMax: 1_000 };
    const first = timelines().jumpTo(server.conversationId, idOf(100));
    client.faults = NO_FAULTS;
    const second = timelines().jumpTo(server.conversationId, idOf(200));
    await clock.advance(3_000);
    expect(await first).toBeNull();
    expect((await second)?.seq).toBe(200);
    expect(seqs()).toEqual(range(176, 225));
    const third = timelines().jumpTo(server.conversationId, idOf(100));
    timelines().jumpToLatest(server.conversationId);
    await clock.advance(0);
    expect(await third).toBeNull();
    expect(seqs()).toEqual(range(351, 400));
  });

  it('whose page comes after that of a later one changes nothing', async () => {
    let isRead = false;
    const history = server.history.bind(server);
    server.history = (place, limit) => {
      isRead = true;
      return history(place, limit);
    };
    client.faults = { ...NO_FAULTS, delayMsMax: 1_000 };
    const first = timelines().jumpTo(server.conversationId, idOf(100));
    while (!isRead) await clock.advance(1);
    client.faults = NO_FAULTS;
    await settled(timelines().jumpTo(server.conversationId, idOf(200)));
    await clock.advance(3_000);
    expect(await first).toBeNull();
    expect(seqs()).toEqual(range(176, 225));
  });

  it('to a message that does not exist is refused, and leaves the timeline as it was', async () => {
    const refused = timelines().jumpTo(server.conversationId, '77');
    await expect(settled(refused)).rejects.toMatchObject({ code: 'not_found' });
    expect(seqs()).toEqual(range(351, 400));
  });

  it('waits for a timeline that is being loaded, as do further pages, and gives up after 15 s', async () => {
    await client.reload();
    await client.store.delete(`window/${ADA}/${server.conversationId}`);
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    timelines().open(server.conversationId);
    const late = timelines()
      .jumpTo(server.conversationId, idOf(200))
      .catch((cause: unknown) => cause);
    await clock.advance(15_000);
    expect(await late).toMatchObject({ code: 'timeout' });
    const jump = timelines().jumpTo(server.conversationId, idOf(200));
    client.faults = NO_FAULTS;
    client.connect();
    await clock.advance(14_000);
    expect((await jump)?.seq).toBe(200);

    await client.reload();
    await client.store.delete(`window/${ADA}/${server.conversationId}`);
    client.connect();
    await clock.advance(1_000);
    timelines().open(server.conversationId);
    const pages = [timelines().loadNewer(server.conversationId), timelines().loadOlder(server.conversationId)];
    await clock.advance(1_000);
    expect(await Promise.all(pages)).toEqual([false, true]);
    expect(seqs()).toEqual(range(301, 400));
  });

  it('ends with the last one who looks at the timeline', async () => {
    await client.reload();
    client.connect();
    const closes = [timelines().open(server.conversationId), timelines().open(server.conversationId)];
    await clock.advance(1_000);
    await settled(timelines().jumpTo(server.conversationId, idOf(200)));
    closes[0]?.();
    expect(seqs()).toEqual(range(176, 225));
    closes[1]?.();
    expect(seqs()).toEqual(range(351, 400));
  });

  it('is undone by a discontinuity', async () => {
    await settled(timelines().jumpTo(server.conversationId, idOf(200)));
    client.cut();
    for (let i = 0; i < 5_001; i++) post(`missed ${i}`);
    client.connect();
    await clock.advance(1_000);
    expect(client.discontinuities).toEqual(['too_far_behind']);
    expect(seqs()).toEqual(range(5_352, 5_401));
  });
});

describe('a page that is under way', () => {
  it('is waited for by whoever asks again, instead of being asked for twice', async () => {
    client.faults = { ...NO_FAULTS, delayMsMax: 500 };
    const pages = [1, 2, 3].map(() => timelines().loadOlder(server.conversationId));
    await clock.advance(2_000);
    expect(await Promise.all(pages)).toEqual([true, true, true]);
    expect(seqs()).toEqual(range(301, 400));
  });

  it('still counts when the part that it belongs to has reached the live end meanwhile', async () => {
    await settled(timelines().jumpTo(server.conversationId, idOf(320)));
    client.faults = { ...NO_FAULTS, delayMsMax: 500 };
    const older = timelines().loadOlder(server.conversationId);
    client.faults = NO_FAULTS;
    expect(await settled(timelines().loadNewer(server.conversationId))).toBe(false);
    expect(seqs()).toEqual(range(296, 400));
    await clock.advance(2_000);
    expect(await older).toBe(true);
    expect(seqs()).toEqual(range(246, 400));
  });

  it('is dropped when something else is shown meanwhile', async () => {
    client.faults = { ...NO_FAULTS, delayMsMax: 500 };
    const older = timelines().loadOlder(server.conversationId);
    client.faults = NO_FAULTS;
    await settled(timelines().jumpTo(server.conversationId, idOf(200)));
    await clock.advance(2_000);
    await older;
    expect(seqs()).toEqual(range(176, 225));
  });
});

describe('a page of what was shown before', () => {
  it('does not say that there is more before the beginning', async () => {
    client.faults = { ...NO_FAULTS, delayMsMax: 500 };
    const older = timelines().loadOlder(server.conversationId);
    client.faults = NO_FAULTS;
    await settled(timelines().jumpTo(server.conversationId, idOf(1)));
    expect(client.messenger.tracks.get(server.conversationId)?.shown?.hasBefore).toBe(false);
    await clock.advance(2_000);
    expect(await older).toBe(false);
    expect(client.messenger.tracks.get(server.conversationId)?.shown?.hasBefore).toBe(false);
  });
});

describe('a message that is looked up', () => {
  it('is asked for once, and kept in its latest version', async () => {
    const { conversationId } = server;
    const twice = [timelines().message(conversationId, idOf(10)), timelines().message(conversationId, idOf(10))];
    await clock.advance(0);
    const [one, two] = await Promise.all(twice);
    expect(one?.seq).toBe(10);
    expect(two).toBe(one);
    server.edit(10, 'edited later');
    await clock.advance(0);
    client.faults = { ...NO_FAULTS, lostRequest: 1 };
    expect((await timelines().message(conversationId, idOf(10))).content).toBe('edited later');
  });

  it('shows an edit that came while it was under way', async () => {
    let isRead = false;
    const read = server.message.bind(server);
    server.message = (messageId) => {
      isRead = true;
      return read(messageId);
    };
    client.faults = { ...NO_FAULTS, delayMsMax: 1_000 };
    const message = timelines().message(server.conversationId, idOf(10));
    while (!isRead) await clock.advance(1);
    client.faults = NO_FAULTS;
    server.edit(10, 'edited meanwhile');
    await clock.advance(3_000);
    expect((await message).content).toBe('edited meanwhile');
  });
});

describe('a timeline that did not change', () => {
  it('is the same list, with the same items', async () => {
    const before = client.messenger.itemsOf(server.conversationId);
    client.deliver(server.heads());
    await clock.advance(0);
    expect(client.messenger.itemsOf(server.conversationId)).toBe(before);
    post('another');
    await clock.advance(0);
    const after = client.messenger.itemsOf(server.conversationId);
    expect(after).not.toBe(before);
    expect(after.slice(0, 50).every((item, i) => item === before[i])).toBe(true);
  });
});
