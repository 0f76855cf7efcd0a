import type { Message } from '@parley/contracts';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import type { MediaUse } from '../ports/checkpoint.port.js';

/** Which messages of a batch carry which media, and which no longer do. */
export class MediaUses {
  private readonly byMessage = new Map<string, MediaUse[]>();

  /** @param known messages that the events change, as they are stored */
  follow(event: ConversationEvent, known: ReadonlyMap<string, Message>): void {
    if (event.type === 'message-sent') {
      if (event.message.media.length > 0) this.byMessage.set(event.message.messageId, usesOf(event.message, null));
    } else if (event.type === 'message-deleted') {
      const sentHere = this.byMessage.get(event.messageId);
      const before = known.get(event.messageId);
      if (sentHere) for (const use of sentHere) use.removedAt ??= event.at;
      else if (before && before.media.length > 0) this.byMessage.set(event.messageId, usesOf(before, event.at));
    }
  }

  all(): MediaUse[] {
    return [...this.byMessage.values()].flat();
  }
}

function usesOf({ conversationId, messageId, seq, media }: Message, removedAt: number | null): MediaUse[] {
  const mediaIds = new Set(media.map(({ mediaId }) => mediaId));
  return [...mediaIds].map((mediaId) => ({ conversationId, messageId, seq, mediaId, removedAt }));
}
