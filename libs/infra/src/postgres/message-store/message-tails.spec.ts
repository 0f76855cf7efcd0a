import type { Message } from '@parley/contracts';
import { describe, expect, it } from 'vitest';
import { MessageTails, TAIL_MESSAGES_MAX } from './message-tails.js';

const message = (seq: number, rev = seq, content = 'x'): Message =>
  ({ conversationId: 'c', messageId: String(seq), seq, rev, content, media: [], reactions: [] }) as unknown as Message;
const write = (...messages: Message[]) => messages.map((each) => ({ message: each, send: null }));
const newest = (tails: MessageTails, limit: number, toSeq = Number.MAX_SAFE_INTEGER, bytesMax = 1_000_000) =>
  tails
    .read({ conversationId: 'c', range: { fromSeq: 1, toSeq }, order: 'newest-first', limit, bytesMax })
    ?.map(({ seq }) => seq);

describe('tails of messages', () => {
  it('answer the newest page and leave older ones to the store', () => {
    const tails = new MessageTails();
    for (let seq = 1; seq <= 2 * TAIL_MESSAGES_MAX + 10; seq++) tails.follow(write(message(seq)));
    expect(newest(tails, 3)).toEqual([266, 265, 264]);
    expect(newest(tails, 3, 20)).toBeUndefined();
  });

  it('answer a page that is full in bytes before it leaves the tail, and no page that may go on beyond it', () => {
    const tails = new MessageTails();
    for (const seq of [7, 8, 9]) tails.follow(write(message(seq, seq, 'x'.repeat(100))));
    expect(newest(tails, 50, 9, 250)).toEqual([9, 8]);
    expect(newest(tails, 50, 9, 199)).toEqual([9]);
    expect(newest(tails, 50, 9, 300)).toBeUndefined();
    expect(newest(tails, 3, 9, 300)).toEqual([9, 8, 7]);
  });

  it('take an edit in place and no older one after it', () => {
    const tails = new MessageTails();
    tails.follow(write(message(1), message(2)));
    tails.follow(write(message(1, 9, 'newer')));
    tails.follow(write(message(1, 8, 'older')));
    expect(tails.find('c', '1')?.content).toBe('newer');
  });

  it('begin anew where a commit was missed, so that no page has a hole', () => {
    const tails = new MessageTails();
    tails.follow(write(message(1), message(2)));
    tails.follow(write(message(4)));
    expect(newest(tails, 1)).toEqual([4]);
    expect(newest(tails, 2)).toBeUndefined();
  });

  it('keep nothing that a commit has overtaken while it was read', async () => {
    const tails = new MessageTails();
    await tails.fill('c', async () => {
      tails.follow(write(message(3)));
      return Promise.resolve([message(1), message(2)]);
    });
    expect(newest(tails, 1)).toEqual([3]);
    expect(newest(tails, 2)).toBeUndefined();
  });

  it('are bounded by their text', () => {
    const tails = new MessageTails(1_000);
    tails.follow(write(message(1, 1, 'x'.repeat(800))));
    tails.follow([{ message: { ...message(1), conversationId: 'd' }, send: null }]);
    expect(tails.find('c', '1')).toBeNull();
    expect(tails.find('d', '1')).not.toBeNull();
  });
});
