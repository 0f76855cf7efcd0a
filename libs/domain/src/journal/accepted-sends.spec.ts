import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryBroadcast } from '../../../infra/src/memory/memory-broadcast.js';
import type { CommandRecord } from '../conversation/commands/command-record.js';
import type { LiveSendSettled } from '../live/live-event.js';
import { ADA, BEN, CommandSide } from '../testing/command-side.js';
import { AcceptedSends } from './accepted-sends.js';

const SOON = { timeout: 10_000 };

class InterruptedBroadcast extends MemoryBroadcast {
  private readonly interrupted = new Set<() => void>();

  override onInterruption(listener?: () => void): () => void {
    if (listener) this.interrupted.add(listener);
    return () => void (listener && this.interrupted.delete(listener));
  }

  comesAgain(): void {
    for (const listener of this.interrupted) listener();
  }
}

describe('sends that were accepted', () => {
  let side: CommandSide;
  let group: string;
  let broadcast: InterruptedBroadcast;
  let accepted: AcceptedSends;
  let ends: LiveSendSettled[];
  beforeEach(async () => {
    side = new CommandSide({ durableAt: 'append' });
    group = await side.group(ADA, BEN);
    broadcast = new InterruptedBroadcast();
    ends = [];
    broadcast.subscribe((events) => ends.push(...events.filter((event) => event.type === 'send-settled')));
    const nextCommandId = (): string => side.journal.nextCommandId();
    accepted = new AcceptedSends(side.log, side.replies, broadcast, { nextCommandId, waitMs: 200 });
  });
  afterEach(async () => {
    accepted.close();
    await side.close();
  });

  /** A send that is stored, and of which this process has not been told. */
  async function stored(userId: string): Promise<CommandRecord> {
    await side.message(userId, group);
    const record = side.owner.decided.at(-1) as CommandRecord;
    accepted.add(record);
    return record;
  }

  it('are asked for when events come again, and their ends are told once', async () => {
    await stored(ADA);
    await stored(BEN);
    broadcast.comesAgain();
    await vi.waitFor(() => expect(ends).toHaveLength(2), SOON);
    expect(ends).toMatchObject([
      { userId: ADA, conversationId: group, outcome: { status: 'stored', seq: 1 } },
      { userId: BEN, conversationId: group, outcome: { status: 'stored', seq: 2 } },
    ]);
    const decided = side.owner.decided.length;
    broadcast.comesAgain();
    await side.message(ADA, group);
    expect(side.owner.decided).toHaveLength(decided + 1);
    expect(ends).toHaveLength(2);
    expect(side.contents(group)).toHaveLength(3);
  });

  it('are asked for also where they were under way when events came again', async () => {
    broadcast.comesAgain();
    await stored(ADA);
    await vi.waitFor(() => expect(ends).toHaveLength(1), SOON);
  });

  it('are asked for when another owner has taken their conversations', async () => {
    await stored(ADA);
    const heads = [{ conversationId: group, lastSeq: 1, lastRev: 2 }];
    await broadcast.publish([{ type: 'conversations-moved', heads }]);
    await vi.waitFor(() => expect(ends).toMatchObject([{ userId: ADA, outcome: { status: 'stored', seq: 1 } }]), SOON);
  });

  it('are told of nothing by a repetition that is refused', async () => {
    const record = await stored(BEN);
    await side.changeMembers(ADA, group, [], [BEN]);
    const decided = side.owner.decided.length;
    broadcast.comesAgain();
    await vi.waitFor(() => expect(side.owner.decided.length).toBeGreaterThan(decided), SOON);
    await side.message(ADA, group);
    expect(ends).toEqual([]);
    accepted.settle(record, { kind: 'sent', messageId: '7', seq: 1, rev: 2, at: 0, duplicate: false });
    expect(ends).toMatchObject([{ userId: BEN, outcome: { status: 'stored', messageId: '7' } }]);
  });
});
