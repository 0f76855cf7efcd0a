import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AdvanceMarksCommand } from '../conversation/commands/conversation-command.js';
import type { CommandRecord } from '../conversation/commands/command-record.js';
import { DomainError } from '../errors/domain-error.js';
import { ADA, BEN, CommandSide, CYD, DAN } from '../testing/command-side.js';

const WINDOW_MS = 150;

describe('the receipt folder', () => {
  let side: CommandSide;
  let group: string;
  /** Message ids by seq. */
  let messages: string[];
  let appends: CommandRecord[][];

  async function given(limits: { sendWaitMs?: number } = {}): Promise<void> {
    side = new CommandSide({ limits: { receiptWindowMs: WINDOW_MS, ...limits } });
    group = await side.group(ADA, BEN, CYD);
    messages = [''];
    for (let i = 0; i < 10; i += 1) messages.push((await side.message(ADA, group)).messageId);
    appends = [];
    const append = side.log.append.bind(side.log);
    side.log.append = (records) => {
      appends.push([...records]);
      return append(records);
    };
  }
  beforeEach(() => given());
  afterEach(() => side.close());

  const mark = (seq: number): { seq: number; messageId: string } => ({ seq, messageId: messages[seq] as string });
  const delivered = (userId: string, seq: number, conversationId = group, isTold = true): void =>
    side.folder.foldDelivered(conversationId, userId, mark(seq), isTold);
  const marksOf = (record: CommandRecord | undefined): AdvanceMarksCommand['marks'] | undefined =>
    (record?.command as AdvanceMarksCommand | undefined)?.marks;
  const memberOf = (userId: string) => side.owner.states.get(group)?.members.get(userId);

  it('journals the marks of 500 members as one command, each at its furthest', async () => {
    const userIds = Array.from({ length: 500 }, (_, i) => `user ${i}`);
    for (const seq of [2, 7, 5]) for (const userId of userIds) delivered(userId, seq);
    await vi.waitFor(() => expect(appends).toHaveLength(1));
    const [[record] = [], ...more] = appends;
    expect(more).toEqual([]);
    expect(record).toMatchObject({ conversationId: group, actorId: '', command: { type: 'advance-marks' } });
    expect(marksOf(record)).toEqual(userIds.map((userId) => ({ userId, delivered: mark(7) })));
  });

  it('appends the conversations of a window together, one command for each', async () => {
    const others = Array.from({ length: 5 }, (_, i) => `conversation ${i}`);
    for (const conversationId of [group, ...others]) delivered(BEN, 3, conversationId);
    await vi.waitFor(() => expect(appends).toHaveLength(1));
    expect(appends[0]?.map(({ conversationId }) => conversationId)).toEqual([group, ...others]);
  });

  it('lets only so many marks go at once, so that no send waits behind a thousand rows', async () => {
    const others = Array.from({ length: 10 }, (_, i) => `conversation ${i}`);
    for (const conversationId of others) for (let i = 0; i < 50; i++) delivered(`user ${i}`, 3, conversationId);
    await vi.waitFor(() => expect(appends.flat()).toHaveLength(10));
    expect(appends.map((records) => records.length)).toEqual([2, 2, 2, 2, 2]);
  });

  it('lets the first mark go at once, and gathers what follows until the window ends', async () => {
    const began = performance.now();
    delivered(BEN, 1);
    await vi.waitFor(() => expect(appends).toHaveLength(1), { interval: 1 });
    const sentAt = performance.now();
    expect(sentAt - began).toBeLessThan(WINDOW_MS);
    for (let seq = 2; seq <= 10; seq += 1) {
      delivered(BEN, seq);
      delivered(CYD, seq);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(appends).toHaveLength(1);
    await vi.waitFor(() => expect(appends).toHaveLength(2), { interval: 1 });
    expect(performance.now() - sentAt).toBeGreaterThan(WINDOW_MS / 2);
    expect(marksOf(appends[1]?.[0])).toEqual([BEN, CYD].map((userId) => ({ userId, delivered: mark(10) })));
    await vi.waitFor(() => expect(memberOf(CYD)?.deliveredSeq).toBe(10));
  });

  it('gathers marks that nobody is told of five times as long, unless one comes that somebody waits for', async () => {
    delivered(BEN, 1, group, false);
    await vi.waitFor(() => expect(appends).toHaveLength(1), { interval: 1 });
    const sentAt = performance.now();
    delivered(BEN, 2, group, false);
    await vi.waitFor(() => expect(appends).toHaveLength(2), { interval: 1, timeout: 3_000 });
    expect(performance.now() - sentAt).toBeGreaterThan(4 * WINDOW_MS);
    delivered(BEN, 3, group, false);
    const read = side.folder.foldRead(group, CYD, mark(3));
    await vi.waitFor(() => expect(appends).toHaveLength(3), { interval: 1 });
    expect(performance.now() - sentAt).toBeLessThan(8 * WINDOW_MS);
    expect(marksOf(appends[2]?.[0])).toHaveLength(2);
    await read;
  });

  it('needs no command for a mark that moves nothing', async () => {
    delivered(BEN, 5);
    await side.folder.flush();
    delivered(BEN, 5);
    delivered(BEN, 3);
    await side.folder.flush();
    expect(appends).toHaveLength(1);
    delivered(BEN, 6);
    await side.folder.flush();
    expect(appends).toHaveLength(2);
  });

  it('joins delivered and read marks of a member, and tells where the read mark stands', async () => {
    delivered(BEN, 8);
    const reading = side.folder.foldRead(group, BEN, mark(4));
    expect(await reading).toEqual({ userId: BEN, readSeq: 4, readMessageId: messages[4], lastSeq: 10 });
    expect(marksOf(appends[0]?.[0])).toEqual([{ userId: BEN, delivered: mark(8), read: mark(4) }]);
    expect(memberOf(BEN)).toMatchObject({ deliveredSeq: 8, readSeq: 4 });
  });

  it('answers everybody who waits for the same fold with the furthest mark', async () => {
    const reads = [3, 9, 6].map(async (seq) => side.folder.foldRead(group, BEN, mark(seq)));
    expect((await Promise.all(reads)).map((standing) => standing?.readSeq)).toEqual([9, 9, 9]);
    expect(appends).toHaveLength(1);
    expect(side.folder.foldRead(group, BEN, mark(9))).toBeNull();
    expect(await side.folder.foldRead(group, BEN, mark(10))).toMatchObject({ readSeq: 10 });
  });

  it('finds no conversation for a reader whom the decision does not know', async () => {
    await expect(side.folder.foldRead(group, DAN, mark(3))).rejects.toMatchObject({ code: 'not_found' });
    const elsewhere = side.folder.foldRead('no such conversation', BEN, mark(3));
    await expect(elsewhere).rejects.toMatchObject({ code: 'not_found' });
  });

  it('keeps the marks for the next window when the log refuses them, and tells who waits', async () => {
    const refusal = new DomainError('overloaded');
    const append = side.log.append.bind(side.log);
    side.log.append = () => Promise.reject(refusal);
    delivered(CYD, 6);
    await expect(side.folder.foldRead(group, BEN, mark(4))).rejects.toBe(refusal);
    side.log.append = append;
    await side.folder.flush();
    await vi.waitFor(() => expect(memberOf(BEN)?.readSeq).toBe(4));
    await vi.waitFor(() => expect(memberOf(CYD)?.deliveredSeq).toBe(6));
  });

  it('takes marks back that nobody decides in time, and brings them again', async () => {
    await side.close();
    await given({ sendWaitMs: 60 });
    await side.owner.stop();
    await expect(side.folder.foldRead(group, BEN, mark(4))).rejects.toMatchObject({ code: 'store_unavailable' });
    side.owner.start();
    await vi.waitFor(() => expect(memberOf(BEN)?.readSeq).toBe(4));
  });

  it('journals at once what it has gathered when it is flushed', async () => {
    delivered(BEN, 1);
    await side.folder.flush();
    delivered(BEN, 2);
    delivered(CYD, 2);
    await side.folder.flush();
    expect(appends.map((records) => records.map(marksOf))).toEqual([
      [[{ userId: BEN, delivered: mark(1) }]],
      [[BEN, CYD].map((userId) => ({ userId, delivered: mark(2) }))],
    ]);
  });

  it('refuses marks beyond its bound as overloaded', async () => {
    side.log.append = () => Promise.reject(new DomainError('overloaded'));
    for (let i = 0; i < 50_000; i += 1) delivered(`user ${i}`, 1);
    expect(() => delivered('one more', 1)).toThrow(expect.objectContaining({ code: 'overloaded' }) as Error);
    delivered('user 0', 2);
  });
});
