import type { AckPayload, ReadMark } from '@parley/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ADA, BEN, by, CommandSide, CYD, DAN } from '../../testing/command-side.js';
import { AcknowledgeDelivery } from '../acknowledge-delivery/acknowledge-delivery.command.js';
import { AcknowledgeDeliveryHandler } from '../acknowledge-delivery/acknowledge-delivery.handler.js';
import { MarkRead } from './mark-read.command.js';
import { MarkReadHandler } from './mark-read.handler.js';

interface Place {
  conversationId: string;
  seq: number;
}

describe('receipts', () => {
  let side: CommandSide;
  let group: string;
  let ids: string[];
  beforeEach(async () => {
    side = new CommandSide();
    group = await side.group(ADA, BEN);
    ids = [];
    for (let i = 0; i < 4; i += 1) ids.push((await side.message(ADA, group)).messageId);
  });
  afterEach(() => side.close());

  const id = (seq: number): string => ids[seq - 1] as string;
  function read(userId: string, lastReadMessageId: string, conversationId = group): Promise<ReadMark> {
    const handler = new MarkReadHandler(side.folder, side.directory, side.store, side.reader);
    return handler.execute(new MarkRead(by(userId), { conversationId, lastReadMessageId }));
  }
  function ack(userId: string, payload: AckPayload, known: Place | null = null): Promise<Place> {
    const handler = new AcknowledgeDeliveryHandler(side.folder, side.directory, side.store);
    return handler.execute(new AcknowledgeDelivery(by(userId), payload, known));
  }
  const deliveredSeq = (userId: string): number | undefined =>
    side.owner.states.get(group)?.members.get(userId)?.deliveredSeq;

  it('move the read mark, and tell what is unread', async () => {
    expect(await read(BEN, id(3))).toEqual({ lastReadMessageId: id(3), lastReadSeq: 3, unreadCount: 1 });
    expect(deliveredSeq(BEN)).toBe(3);
  });

  it('only move forward: an older mark is answered with where it stands, without a command', async () => {
    await read(BEN, id(3));
    const before = side.owner.decided.length;
    expect(await read(BEN, id(1))).toEqual({ lastReadMessageId: id(3), lastReadSeq: 3, unreadCount: 1 });
    expect(side.owner.decided).toHaveLength(before);
    await side.message(ADA, group);
    expect(await read(BEN, id(3))).toMatchObject({ lastReadSeq: 3, unreadCount: 2 });
  });

  it('do not go back for a sender, whose own message is read by itself', async () => {
    expect(await read(ADA, id(2))).toEqual({ lastReadMessageId: id(4), lastReadSeq: 4, unreadCount: 0 });
  });

  it('are not found for strangers, foreign messages and what was before one came', async () => {
    const other = await side.group(ADA, BEN);
    await side.changeMembers(ADA, group, [CYD], []);
    const notFound = { code: 'not_found' };
    await expect(read(DAN, id(1))).rejects.toMatchObject(notFound);
    await expect(read(CYD, id(4))).rejects.toMatchObject(notFound);
    await expect(read(BEN, id(1), other)).rejects.toMatchObject(notFound);
    await expect(ack(DAN, { messageId: id(1) })).rejects.toMatchObject(notFound);
    await expect(ack(CYD, { messageId: id(4) })).rejects.toMatchObject(notFound);
    await expect(ack(BEN, { messageId: id(1), conversationId: other })).rejects.toMatchObject(notFound);
    await expect(ack(BEN, { messageId: '1' })).rejects.toMatchObject(notFound);
    const known = { conversationId: group, seq: 1 };
    await expect(ack(BEN, { messageId: id(1), conversationId: other }, known)).rejects.toMatchObject(notFound);
    await expect(ack(DAN, { messageId: id(1) }, known)).rejects.toMatchObject(notFound);
  });

  it('acknowledge a delivery with or without its conversation, and do not wait for the commit', async () => {
    await side.owner.stop();
    const place = { conversationId: group, seq: 2 };
    await side.directory.load(group);
    expect(await ack(BEN, { messageId: id(2), conversationId: group })).toEqual(place);
    expect(await ack(BEN, { messageId: id(3) })).toEqual({ ...place, seq: 3 });
    expect(deliveredSeq(BEN)).toBe(0);
    side.owner.start();
    await vi.waitFor(() => expect(deliveredSeq(BEN)).toBe(3));
  });

  it('look nothing up for a delivery whose place is known', async () => {
    await side.directory.load(group);
    side.lookups.hold = new Promise(() => {});
    const known = { conversationId: group, seq: 4 };
    expect(await ack(BEN, { messageId: id(4) }, known)).toEqual(known);
    await vi.waitFor(() => expect(deliveredSeq(BEN)).toBe(4));
  });
});
