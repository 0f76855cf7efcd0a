import { type Conversation, type Message, PAGE_BYTES_MAX, type SyncCursor } from '@parley/contracts';
import type { MessageStore } from '../../ports/message-store.port.js';

/** What lies behind a client's cursor in one conversation, as of the snapshot that the conversation was read in. */
export interface ConversationTail {
  /** The cursor cannot be right: messages begin again with the first visible one. */
  reset: boolean;
  afterSeq: number;
  afterRev: number;
  messages: Message[];
  changes: Message[];
  /** There are no changes after these. */
  changesEnd: boolean;
}

function isReset({ lastSeq, lastRev, visibleFromSeq }: Conversation, { afterSeq, afterRev = 0 }: SyncCursor): boolean {
  return afterSeq > lastSeq || afterRev > lastRev || afterSeq < visibleFromSeq - 1;
}

/** Whether the conversation has anything that a client with this cursor does not have. */
export function isBehind(conversation: Conversation, cursor: SyncCursor): boolean {
  const { lastSeq, lastRev } = conversation;
  const { afterSeq, afterRev = lastRev } = cursor;
  return isReset(conversation, cursor) || afterSeq < lastSeq || afterRev < lastRev;
}

/** For a client that names no cursor: nothing of the messages; it may begin with the first visible one. */
export function unnamedTail({ visibleFromSeq, lastRev }: Conversation): ConversationTail {
  return { reset: false, afterSeq: visibleFromSeq - 1, afterRev: lastRev, messages: [], changes: [], changesEnd: true };
}

/**
 * Up to `limit` messages after the cursor, and up to `limit` of those before it that changed, of each no more than an
 * answer holds. A cursor without `afterRev` says nothing about what the client knows of changes, so it gets all of them.
 */
export async function readTail(
  store: MessageStore,
  conversation: Conversation,
  cursor: SyncCursor,
  limit: number,
): Promise<ConversationTail> {
  const { conversationId, lastSeq, lastRev, visibleFromSeq } = conversation;
  const reset = isReset(conversation, cursor);
  const afterSeq = reset ? visibleFromSeq - 1 : cursor.afterSeq;
  // After a reset every message comes anew, with its changes.
  const afterRev = reset ? lastRev : (cursor.afterRev ?? 0);
  const [messages, found] = await Promise.all([
    afterSeq < lastSeq
      ? store.read({
          conversationId,
          range: { fromSeq: afterSeq + 1, toSeq: lastSeq },
          order: 'oldest-first',
          limit,
          bytesMax: PAGE_BYTES_MAX,
        })
      : [],
    afterRev < lastRev && afterSeq >= visibleFromSeq
      ? store.changes({
          conversationId,
          afterRev,
          range: { fromSeq: visibleFromSeq, toSeq: afterSeq },
          limit,
          bytesMax: PAGE_BYTES_MAX,
        })
      : { messages: [], more: false },
  ]);
  // What changed after the snapshot waits: the next cursor ends with the snapshot's last revision.
  const changes = found.messages.filter((message) => message.rev <= lastRev);
  return { reset, afterSeq, afterRev, messages: [...messages], changes, changesEnd: !found.more };
}
