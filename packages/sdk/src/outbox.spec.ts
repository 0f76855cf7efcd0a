import { beforeEach, describe, expect, it } from 'vitest';
import { ParleyError } from './errors.js';
import { ACCEPTED_WAIT_MS, Outbox, type OutboxEntry, type Settlement } from './outbox.js';
import { memoryStore, type ParleyStore } from './store.js';
import { promisesSettled, VirtualClock } from './testing/virtual-clock.js';

const SCOPE = 'outbox/ada';
const PLACE: Settlement = { messageId: '1000', seq: 1, rev: 2, timestamp: '2026-11-22T10:00:00.000Z' };

let clock: VirtualClock;
let store: ParleyStore;
let isConnected: boolean;
/** What was sent, each with how to end it. */
let sends: { id: string; answer: (place: Settlement | 'accepted') => void; refuse: (cause: unknown) => void }[];
let stored: string[];
let faults: unknown[];
beforeEach(() => {
  clock = new VirtualClock();
  store = memoryStore();
  isConnected = true;
  sends = [];
  stored = [];
  faults = [];
});

const outboxOf = (tabId: string): Outbox =>
  new Outbox(
    {
      clock,
      random: () => 1,
      store,
      scope: SCOPE,
      send: ({ clientMsgId: id }) => new Promise((answer, refuse) => sends.push({ id, answer, refuse })),
      isConnected: () => isConnected,
      changed: () => {},
      stored: ({ clientMsgId }) => stored.push(clientMsgId),
      fault: (cause) => faults.push(cause),
    },
    tabId,
  );
const entryOf = (clientMsgId: string, conversationId = 'one'): OutboxEntry => ({
  clientMsgId,
  conversationId,
  content: clientMsgId,
  contentType: 'text',
  mediaIds: [],
  replyToMessageId: null,
  createdAtMs: clock.now(),
  failure: null,
});
const started = async (tabId = 'tab'): Promise<Outbox> => {
  const outbox = outboxOf(tabId);
  await outbox.start();
  return outbox;
};
const ids = () => sends.map(({ id }) => id);
const answerAll = async (): Promise<void> => {
  for (const { answer } of sends) answer(PLACE);
  await promisesSettled();
};

describe('an outbox', () => {
  it('sends what was written without a connection at once when there is one, in its order', async () => {
    isConnected = false;
    const outbox = await started();
    for (const id of ['a', 'b', 'c']) await outbox.add(entryOf(id));
    await outbox.add(entryOf('elsewhere', 'two'));
    expect(ids()).toEqual([]);
    isConnected = true;
    outbox.connected();
    expect(ids()).toEqual(['a', 'elsewhere']);
    for (let i = 0; i < 4; i++) await answerAll();
    expect(stored.filter((id) => id !== 'elsewhere')).toEqual(['a', 'b', 'c']);
    expect(outbox.entries).toEqual([]);
    expect(await store.keys('')).toEqual([]);
  });

  it('keeps an entry before it sends it', async () => {
    const outbox = await started();
    const set = store.set.bind(store);
    let isKept = (): void => {};
    store.set = async (key, value) => {
      await new Promise<void>((done) => (isKept = done));
      await set(key, value);
    };
    const adding = outbox.add(entryOf('a'));
    await promisesSettled();
    expect(outbox.entries).toHaveLength(1);
    expect(ids()).toEqual([]);
    isKept();
    await adding;
    expect(ids()).toEqual(['a']);
    expect(await store.keys(SCOPE)).toHaveLength(1);
  });

  it('does not leave an entry behind that was seen while it was being kept', async () => {
    const outbox = await started();
    const set = store.set.bind(store);
    let isKept = (): void => {};
    store.set = async (key, value) => {
      await new Promise<void>((done) => (isKept = done));
      await set(key, value);
    };
    const adding = outbox.add(entryOf('a'));
    outbox.seen('a');
    isKept();
    await adding;
    await promisesSettled();
    expect(await store.keys(SCOPE)).toEqual([]);
    expect(ids()).toEqual([]);
  });

  it('takes no notice of an answer to what was seen meanwhile', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    outbox.seen('a');
    await answerAll();
    expect(stored).toEqual([]);
  });

  it('goes on without a store that fails, and says so', async () => {
    store.set = () => Promise.reject(new Error('full'));
    const outbox = await started();
    await outbox.add(entryOf('a'));
    await answerAll();
    expect(stored).toEqual(['a']);
    expect(faults).toHaveLength(1);
  });
});

describe('a send without an answer', () => {
  it('is sent again after a second while there is a connection, and before what follows it', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    await outbox.add(entryOf('b'));
    sends[0]?.refuse(new ParleyError('timeout', 'No answer'));
    await clock.advance(999);
    expect(ids()).toEqual(['a']);
    await clock.advance(1);
    expect(ids()).toEqual(['a', 'a']);
    sends[1]?.answer(PLACE);
    await clock.advance(0);
    expect(ids()).toEqual(['a', 'a', 'b']);
  });

  it('waits for the next connection when there is none, however long that takes', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    isConnected = false;
    sends[0]?.refuse(new ParleyError('network', 'Cut'));
    await clock.advance(3_600_000);
    expect(ids()).toEqual(['a']);
    expect(outbox.entries[0]?.failure).toBeNull();
    isConnected = true;
    outbox.connected();
    expect(ids()).toEqual(['a', 'a']);
  });

  it('because the token has run out is no refusal', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    for (let i = 0; i < 20; i++) {
      sends.at(-1)?.refuse(new ParleyError('token_expired', 'Expired', { status: 401 }));
      await clock.advance(1_000);
    }
    expect(outbox.entries[0]?.failure).toBeNull();
    expect(ids()).toHaveLength(21);
  });

  it('but accepted is sent again at the next connection, without the 10 s', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    sends[0]?.answer('accepted');
    await promisesSettled();
    outbox.connected();
    await promisesSettled();
    expect(ids()).toEqual(['a', 'a']);
    sends[1]?.answer('accepted');
    await clock.advance(ACCEPTED_WAIT_MS - 1);
    expect(ids()).toHaveLength(2);
    await clock.advance(1);
    expect(ids()).toEqual(['a', 'a', 'a']);
  });

  it('but accepted is not sent again when its end was told before that answer', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    outbox.settled({ clientMsgId: 'a', conversationId: 'one', status: 'stored', ...PLACE });
    sends[0]?.answer('accepted');
    await promisesSettled();
    expect(stored).toEqual(['a']);
    expect(outbox.entries).toEqual([]);
  });

  it('but accepted fails with the reason when it is rejected', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    sends[0]?.answer('accepted');
    await promisesSettled();
    const error = { code: 'blocked' as const, status: 403, detail: 'Blocked', retryable: false };
    outbox.settled({ clientMsgId: 'a', conversationId: 'one', status: 'rejected', error });
    await promisesSettled();
    expect(outbox.entries[0]?.failure).toEqual({ code: 'blocked', detail: 'Blocked', retryable: false });
  });
});

describe('a refusal', () => {
  it('that a retry does not cure fails at once, and the next one is sent', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    await outbox.add(entryOf('b'));
    sends[0]?.refuse(new ParleyError('blocked', 'Blocked', { status: 403 }));
    await promisesSettled();
    expect(outbox.entries[0]?.failure).toEqual({ code: 'blocked', detail: 'Blocked', retryable: false });
    expect(ids()).toEqual(['a', 'b']);
    // It is still there after a reload, as failed.
    expect(JSON.parse((await store.get((await store.keys(SCOPE))[0] ?? '')) ?? '')).toMatchObject({
      failure: { code: 'blocked' },
    });
    expect(outbox.retry('b')).toBe(false);
    expect(outbox.discard('b')).toBe(false);
    expect(outbox.discard('a')).toBe(true);
    expect(outbox.entries).toHaveLength(1);
  });

  it('that a retry may cure is tried again when the server says, and given up after eight', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    const refusal = new ParleyError('overloaded', 'Busy', { status: 503, retryable: true, retryAfterMs: 7_000 });
    for (let i = 1; i <= 9; i++) {
      expect(ids()).toHaveLength(i);
      sends.at(-1)?.refuse(refusal);
      await clock.advance(6_999);
      expect(ids()).toHaveLength(i);
      await clock.advance(1);
    }
    expect(outbox.entries[0]?.failure).toEqual({ code: 'overloaded', detail: 'Busy', retryable: true });
    expect(outbox.retry('a')).toBe(true);
    expect(ids()).toHaveLength(10);
    await answerAll();
    expect(stored).toEqual(['a']);
  });
});

describe('a clientMsgId that is used again', () => {
  it('is on its way once, replaces what had failed, and is another message elsewhere', async () => {
    const outbox = await started();
    await outbox.add(entryOf('a'));
    await outbox.add(entryOf('a'));
    expect(ids()).toEqual(['a']);
    sends[0]?.refuse(new ParleyError('validation_failed', 'too long', { status: 400 }));
    await promisesSettled();
    expect(outbox.entries).toMatchObject([{ failure: { code: 'validation_failed' } }]);
    await outbox.add({ ...entryOf('a'), content: 'shorter' });
    expect(outbox.entries).toMatchObject([{ content: 'shorter', failure: null }]);
    expect(await store.keys('')).toHaveLength(1);
    await outbox.add(entryOf('a', 'two'));
    expect(ids()).toEqual(['a', 'a', 'a']);
    await answerAll();
    expect(outbox.entries).toEqual([]);
  });
});

describe('what another client left in the store', () => {
  it('stays there while the store is full, and is gone when it was sent', async () => {
    isConnected = false;
    const first = await started('first');
    await first.add(entryOf('a'));
    first.stop();
    const before = await store.keys('');
    const set = store.set.bind(store);
    store.set = () => Promise.reject(new Error('full'));
    const second = await started('second');
    expect(second.entries).toHaveLength(1);
    await clock.advance(20_000);
    expect(await store.keys('')).toEqual(before);
    expect(faults.map(String)).toEqual(['Error: full']);
    store.set = set;
    isConnected = true;
    second.connected();
    await answerAll();
    expect(stored).toEqual(['a']);
    expect(await store.keys('')).toEqual([]);
  });

  const leave = async (...entries: OutboxEntry[]): Promise<void> => {
    for (const [i, entry] of entries.entries())
      await store.set(`${SCOPE}/gone/${i}`.padEnd(40, '0'), JSON.stringify(entry));
  };

  it('is taken over, kept under the new name before it is forgotten under the old one, and sent in its order', async () => {
    await leave(entryOf('a'), entryOf('b'));
    isConnected = false;
    const writes: string[] = [];
    const set = store.set.bind(store);
    const remove = store.delete.bind(store);
    store.set = async (key, value) => {
      writes.push(`set ${key.split('/')[2]}`);
      await set(key, value);
    };
    store.delete = async (key) => {
      writes.push(`delete ${key.split('/')[2]}`);
      await remove(key);
    };
    const outbox = await started();
    expect(writes).toEqual(['set tab', 'delete gone', 'set tab', 'delete gone']);
    expect((await store.keys(SCOPE)).map((key) => key.split('/')[2])).toEqual(['tab', 'tab']);
    isConnected = true;
    outbox.connected();
    await answerAll();
    await answerAll();
    expect(stored).toEqual(['a', 'b']);
  });

  it('in two copies, as after a crash in between, is one entry', async () => {
    await leave(entryOf('a'), entryOf('a'));
    const outbox = await started();
    expect(outbox.entries).toHaveLength(1);
    expect(await store.keys(SCOPE)).toHaveLength(1);
    expect(ids()).toEqual(['a']);
  });

  it('is left alone while that one lives, and taken over within 5 s of its end', async () => {
    isConnected = false;
    const first = await started('first');
    await first.add(entryOf('a'));
    const second = await started('second');
    await clock.advance(60_000);
    expect(second.entries).toEqual([]);
    first.stop();
    await clock.advance(5_000);
    expect(second.entries.map(({ clientMsgId }) => clientMsgId)).toEqual(['a']);
    second.stop();
    expect(clock.waiting).toBe(0);
  });

  it('for more than 29 days has failed, and is not sent: the server may have forgotten that it had it', async () => {
    await leave({ ...entryOf('old'), createdAtMs: clock.now() - 29 * 24 * 3_600_000 - 1 });
    await leave({ ...entryOf('young', 'two'), createdAtMs: clock.now() - 29 * 24 * 3_600_000 });
    const outbox = await started();
    await leave({ ...entryOf('old'), createdAtMs: clock.now() - 29 * 24 * 3_600_000 - 1 });
    await clock.advance(5_000);
    expect(ids()).toEqual(['young']);
    expect(outbox.entriesOf('one')[0]?.failure).toMatchObject({ code: 'outbox_expired', retryable: false });
  });
});
