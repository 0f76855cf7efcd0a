import type { Message } from '@parley/contracts';
import { noSuchConversation } from '../membership/membership-directory.js';
import type { ConversationReader, MemberView } from '../ports/conversation-reader.port.js';
import type { MessageStore } from '../ports/message-store.port.js';
import { noSuchMessage } from './message-changes.js';

/** @throws DomainError `not_found` unless the user belongs to the conversation */
export async function requireView(
  conversations: ConversationReader,
  conversationId: string,
  userId: string,
): Promise<MemberView> {
  const view = await conversations.memberView(conversationId, userId);
  if (!view) throw noSuchConversation();
  return view;
}

/**
 * A message of this conversation between the member's join and the read model's last one.
 * @throws DomainError `not_found`, alike for one that does not exist and one that may not be seen
 */
export async function requireMessage(
  store: MessageStore,
  conversationId: string,
  view: MemberView,
  messageId: string,
): Promise<Message> {
  const [message] = await store.find(conversationId, [messageId]);
  if (!message || message.seq < view.visibleFromSeq || message.seq > view.lastSeq) throw noSuchMessage();
  return message;
}
