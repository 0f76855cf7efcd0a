import type { Message } from '@parley/contracts';
import type {
  ConversationEvent,
  MessageDeleted,
  MessageEdited,
  ReactionChanged,
} from '../conversation/events/conversation-event.js';

/** Events after which a message is another one than before. A new one is added here, and everything below follows. */
export type MessageChange = MessageEdited | MessageDeleted | ReactionChanged;

const CHANGES: Readonly<Record<MessageChange['type'], true>> = {
  'message-edited': true,
  'message-deleted': true,
  'reaction-changed': true,
};

export function isMessageChange(event: ConversationEvent): event is MessageChange {
  return Object.hasOwn(CHANGES, event.type);
}

/**
 * A message after a change, as a new object. Its `rev` always moves; a deletion is final: whatever comes after it in
 * the log moves the rev and nothing else. Applying an older or equal rev gives the message back as it is.
 */
export function applyChange(message: Message, change: MessageChange): Message {
  if (change.rev <= message.rev) return message;
  if (message.deletedAt !== null) return { ...message, rev: change.rev };
  const at = new Date(change.at).toISOString();
  switch (change.type) {
    case 'message-edited':
      return { ...message, rev: change.rev, content: change.content, editedAt: at };
    case 'message-deleted':
      return { ...message, rev: change.rev, content: '', media: [], reactions: [], deletedAt: at };
    case 'reaction-changed':
      return { ...message, rev: change.rev, reactions: reactionsAfter(message, change) };
  }
}

function reactionsAfter(message: Message, { emoji, userId, present }: ReactionChanged): Message['reactions'] {
  const others = (userIds: string[]): string[] => userIds.filter((other) => other !== userId);
  const known = message.reactions.some((reaction) => reaction.emoji === emoji);
  if (present && !known) return [...message.reactions, { emoji, userIds: [userId] }];
  return message.reactions
    .map((reaction) => {
      if (reaction.emoji !== emoji) return reaction;
      return { emoji, userIds: present ? [...others(reaction.userIds), userId] : others(reaction.userIds) };
    })
    .filter((reaction) => reaction.userIds.length > 0);
}
