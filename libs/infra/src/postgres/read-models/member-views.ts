import type { DecidedBatch, MemberView } from '@parley/domain';

/** Views that are remembered, about 200 bytes each. */
export const MEMBER_VIEWS_MAX = 50_000;

interface ViewedConversation {
  lastSeq: number;
  lastRev: number;
  members: Map<string, Pick<MemberView, 'visibleFromSeq' | 'readSeq' | 'readMessageId'>>;
}

/**
 * What members may see, of the conversations that are read: without it every page would ask the database for these few
 * numbers first. Follows the commits of this process, so it is only right where every commit to this database goes
 * through it; an uncertain commit drops it.
 */
export class MemberViews {
  private readonly conversations = new Map<string, ViewedConversation>();
  private readonly reading = new Map<string, Set<{ stale: boolean }>>();
  private views = 0;

  constructor(private readonly viewsMax: number = MEMBER_VIEWS_MAX) {}

  get(conversationId: string, userId: string): MemberView | null {
    const conversation = this.conversations.get(conversationId);
    const member = conversation?.members.get(userId);
    if (!conversation || !member) return null;
    return { ...member, lastSeq: conversation.lastSeq, lastRev: conversation.lastRev };
  }

  /** The view that `read` gives; remembered, unless a commit to the conversation comes in between. */
  async fill(
    conversationId: string,
    userId: string,
    read: () => Promise<MemberView | null>,
  ): Promise<MemberView | null> {
    const reading = { stale: false };
    const all = this.reading.get(conversationId) ?? new Set();
    this.reading.set(conversationId, all.add(reading));
    try {
      const view = await read();
      if (view && !reading.stale) this.keep(conversationId, userId, view);
      return view;
    } finally {
      all.delete(reading);
      if (all.size === 0) this.reading.delete(conversationId);
    }
  }

  follow({ checkpoint }: DecidedBatch): void {
    for (const { conversationId, lastSeq, lastRev } of checkpoint.conversations) {
      for (const reading of this.reading.get(conversationId) ?? []) reading.stale = true;
      const conversation = this.conversations.get(conversationId);
      if (conversation) Object.assign(conversation, { lastSeq, lastRev });
    }
    for (const { conversationId, member, removedAt } of checkpoint.members) {
      const members = this.conversations.get(conversationId)?.members;
      if (!members?.has(member.userId)) continue;
      const { visibleFromSeq, readSeq } = member;
      // A mark from before the join names a message that the member may not see.
      const readMessageId = readSeq >= visibleFromSeq ? member.readMessageId : null;
      if (removedAt === null) members.set(member.userId, { visibleFromSeq, readSeq, readMessageId });
      else if (members.delete(member.userId)) this.views--;
    }
  }

  clear(): void {
    this.conversations.clear();
    this.views = 0;
    for (const all of this.reading.values()) for (const reading of all) reading.stale = true;
  }

  private keep(conversationId: string, userId: string, view: MemberView): void {
    const { visibleFromSeq, lastSeq, lastRev, readSeq, readMessageId } = view;
    let conversation = this.conversations.get(conversationId);
    if (!conversation)
      this.conversations.set(conversationId, (conversation = { lastSeq, lastRev, members: new Map() }));
    if (!conversation.members.has(userId)) this.views++;
    conversation.members.set(userId, { visibleFromSeq, readSeq, readMessageId });
    while (this.views > this.viewsMax) {
      const oldest = this.conversations.entries().next().value;
      if (!oldest) return;
      this.views -= oldest[1].members.size;
      this.conversations.delete(oldest[0]);
    }
  }
}
