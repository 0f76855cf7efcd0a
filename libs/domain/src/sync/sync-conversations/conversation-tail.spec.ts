import type { Conversation, Message } from '@parley/contracts';
import { describe, expect, it } from 'vitest';
import type { ChangesRead, MessageStore } from '../../ports/message-store.port.js';
import { readTail, unnamedTail } from './conversation-tail.js';
import { SyncPage } from './sync-page.js';

const conversation = (lastSeq: number, lastRev: number): Conversation =>
  ({ conversationId: 'c', lastSeq, lastRev, visibleFromSeq: 1 }) as Conversation;
const message = (seq: number, rev: number, content = ''): Message =>
  ({ messageId: `${seq}`, seq, rev, content }) as Message;

/** A store whose rows have moved on since the conversation was read. */
function storeOf(messages: Message[]): MessageStore {
  const within = (range: { fromSeq: number; toSeq: number }) =>
    messages.filter(({ seq }) => seq >= range.fromSeq && seq <= range.toSeq);
  return {
    read: async ({ range, limit }: { range: { fromSeq: number; toSeq: number }; limit: number }) =>
      within(range).slice(0, limit),
    changes: async ({ afterRev, range, limit }: ChangesRead) => {
      const found = within(range)
        .filter(({ rev }) => rev > afterRev)
        .toSorted((a, b) => a.rev - b.rev);
      return { messages: found.slice(0, limit), more: found.length > limit };
    },
  } as unknown as MessageStore;
}

describe('what lies behind a cursor', () => {
  it('is of the snapshot: later messages and changes wait for the next sync', async () => {
    const store = storeOf([message(1, 8), message(2, 5), message(3, 4), message(4, 7)]);
    const tail = await readTail(store, conversation(3, 6), { conversationId: 'c', afterSeq: 2, afterRev: 3 }, 10);
    expect(tail.messages.map(({ seq }) => seq)).toEqual([3]);
    expect(tail.changes.map(({ seq }) => seq)).toEqual([2]);
    const page = new SyncPage();
    expect(page.add(conversation(3, 6), tail)).toBe(true);
    expect(page.conversations[0]).toMatchObject({ next: { afterSeq: 3, afterRev: 6 }, hasMore: false });
  });

  it('reads nothing from a store for a client that has everything', async () => {
    const store = {} as MessageStore;
    const tail = await readTail(store, conversation(3, 6), { conversationId: 'c', afterSeq: 3, afterRev: 6 }, 10);
    expect(tail).toMatchObject({ messages: [], changes: [], reset: false, changesEnd: true });
  });
});

describe('an answer', () => {
  const big = 'x'.repeat(400);
  const tailOf = (...messages: Message[]) => ({ ...unnamedTail(conversation(9, 9)), messages });

  it('is full when not even the first message of the next conversation fits', () => {
    const page = new SyncPage(1_500);
    expect(page.add(conversation(9, 9), tailOf(message(1, 1, big)))).toBe(true);
    expect(page.add(conversation(9, 9), tailOf(message(1, 1, big.repeat(2))))).toBe(false);
    expect(page.conversations).toHaveLength(1);
    expect(page.add(conversation(9, 9), tailOf())).toBe(true);
  });

  it('says how far it came in messages and in changes', () => {
    const page = new SyncPage(1_200);
    const tail = { ...tailOf(message(1, 1, big)), afterRev: 3, changes: [message(7, 5, big), message(8, 6, big)] };
    page.add(conversation(1, 9), { ...tail, changesEnd: true });
    expect(page.conversations[0]).toMatchObject({ next: { afterSeq: 1, afterRev: 3 }, hasMore: true });
    expect(page.conversations[0]?.changes).toEqual([]);
  });
});
