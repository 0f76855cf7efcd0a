import { laterMark } from '../message-ids.js';
import type { TimelineItem } from '../timeline-items.js';
import type { Conversation, Message } from '../wire.js';

const RANKS = ['failed', 'sending', 'sent', 'delivered', 'read'];

/** What a device has shown, and must not take back. */
export class ShownTimeline {
  private keys: string[] = [];
  private readonly ranks = new Map<string, number>();
  private readonly revs = new Map<string, number>();
  private readonly marks = new Map<string, string | null>();
  private readSeq = 0;

  /** The page was loaded anew, or something else is looked at: what follows need not go on from what was. */
  forget(): void {
    this.keys = [];
    this.ranks.clear();
    this.marks.clear();
    this.readSeq = 0;
  }

  /** The server itself went back. */
  forgetAll(): void {
    this.forget();
    this.revs.clear();
  }

  /** @throws Error when somebody's mark is before where it was */
  expectMarksToGoOn({ lastReadSeq, members }: Conversation): void {
    if (lastReadSeq < this.readSeq) throw new Error(`Read up to ${lastReadSeq}, after ${this.readSeq}`);
    this.readSeq = lastReadSeq;
    for (const { userId, joinedAt, lastReadMessageId, lastDeliveredMessageId } of members) {
      for (const [kind, mark] of Object.entries({ lastReadMessageId, lastDeliveredMessageId })) {
        const key = `${userId} ${joinedAt} ${kind}`;
        const before = this.marks.get(key) ?? null;
        if (laterMark(before, mark) !== mark) throw new Error(`${kind} of ${userId} went back to ${mark}`);
        this.marks.set(key, mark);
      }
    }
  }

  /** @throws Error when a message has gone, has moved, is in an older version, or went back from what it was */
  expectToGoOn(items: readonly TimelineItem[], messages: readonly Message[], isBefore: (key: string) => boolean): void {
    const keys = items.map(({ key }) => key);
    const places = new Set(keys);
    if (places.size !== keys.length) throw new Error('A message is shown twice');
    for (const key of this.keys) if (!places.has(key) && !isBefore(key)) throw new Error(`${key} has gone`);
    this.keys = keys;
    for (const { key, status } of items) {
      const rank = RANKS.indexOf(status);
      const before = this.ranks.get(key) ?? rank;
      const mayFail = status === 'failed' && before <= RANKS.indexOf('sending');
      if (rank < before && !mayFail) throw new Error(`${key} went back to ${status}`);
      this.ranks.set(key, rank);
    }
    for (const { messageId, rev } of messages) {
      if (rev < (this.revs.get(messageId) ?? rev)) throw new Error(`${messageId} is in an older version`);
      this.revs.set(messageId, rev);
    }
  }
}
