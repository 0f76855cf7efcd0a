import { LRUCache } from 'lru-cache';
import { TransientMap } from '../collections/transient-map.js';
import { partitionOf } from '../conversation/partitioning.js';
import type { ConversationState, PriorSend } from '../conversation/conversation.state.js';

/** Conversations kept by weight: one for each, and one for each ten members. About 100 MB when full. */
export const CACHED_CONVERSATION_WEIGHT_MAX = 100_000;
/** Sends remembered for each loaded conversation; older ones are found in the message store. */
export const RECENT_SENDS_MAX = 256;

/** A conversation that this owner has in memory, with the sends that it may be asked about again. */
export class CachedConversation {
  private readonly recent = new TransientMap<string, PriorSend>();

  constructor(public state: ConversationState | null) {}

  priorSend(senderId: string, clientMsgId: string): PriorSend | null {
    return this.recent.get(`${senderId}|${clientMsgId}`) ?? null;
  }

  remember(senderId: string, clientMsgId: string, send: PriorSend): void {
    this.recent.set(`${senderId}|${clientMsgId}`, send);
    if (this.recent.size <= RECENT_SENDS_MAX) return;
    const oldest = this.recent.keys().next().value;
    if (oldest !== undefined) this.recent.delete(oldest);
  }
}

/** The states of the partitions that this process owns. Only ever a copy of what is committed, or a batch ahead of it. */
export class ConversationCache {
  private readonly entries = new LRUCache<string, CachedConversation>({
    maxSize: CACHED_CONVERSATION_WEIGHT_MAX,
    sizeCalculation: (entry) => 1 + Math.floor((entry.state?.members.size ?? 0) / 10),
  });

  get(conversationId: string): CachedConversation | undefined {
    return this.entries.get(conversationId);
  }

  keep(conversationId: string, entry: CachedConversation): void {
    if (entry.state) this.entries.set(conversationId, entry);
  }

  drop(conversationIds: Iterable<string>): void {
    for (const conversationId of conversationIds) this.entries.delete(conversationId);
  }

  /** Forgets the conversations of these partitions, of `of` in all. */
  dropPartitions(partitions: ReadonlySet<number>, of: number): void {
    this.drop([...this.entries.keys()].filter((conversationId) => partitions.has(partitionOf(conversationId, of))));
  }

  clear(): void {
    this.entries.clear();
  }
}
