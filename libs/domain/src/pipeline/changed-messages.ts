import type { Message } from '@parley/contracts';
import type { MessageFacts } from '../conversation/commands/conversation-command.js';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import { isMessageChange } from '../messages/message.projection.js';
import type { LogRecord } from '../ports/command-log.port.js';
import type { MessageStore } from '../ports/message-store.port.js';

/** Conversations that are asked about at a time; a store far away would otherwise be waited for once for each. */
const CONVERSATIONS_AT_ONCE_MAX = 32;

interface NamedMessage {
  readonly conversationId: string;
  readonly messageId: string;
}

/** The messages that commands of these records change, as they are stored, by id. */
export function loadChangedMessages(store: MessageStore, records: readonly LogRecord[]): Promise<Map<string, Message>> {
  return loadMessages(store, records.flatMap(changedBy));
}

/** The messages that these events change, as they are stored, by id. */
export function loadMessagesOfEvents(
  store: MessageStore,
  events: readonly ConversationEvent[],
): Promise<Map<string, Message>> {
  return loadMessages(store, events.filter(isMessageChange));
}

async function loadMessages(store: MessageStore, named: readonly NamedMessage[]): Promise<Map<string, Message>> {
  const wanted = new Map<string, Set<string>>();
  for (const { conversationId, messageId } of named) {
    const ids = wanted.get(conversationId) ?? new Set();
    wanted.set(conversationId, ids.add(messageId));
  }
  const messages = new Map<string, Message>();
  const conversations = [...wanted];
  for (let from = 0; from < conversations.length; from += CONVERSATIONS_AT_ONCE_MAX) {
    const some = conversations.slice(from, from + CONVERSATIONS_AT_ONCE_MAX);
    const found = await Promise.all(some.map(([conversationId, ids]) => store.find(conversationId, [...ids])));
    for (const message of found.flat()) messages.set(message.messageId, message);
  }
  return messages;
}

function changedBy({ record }: LogRecord): NamedMessage[] {
  const facts = record && messageFactsOf(record.command);
  return facts ? [{ conversationId: record.conversationId, messageId: facts.messageId }] : [];
}

function messageFactsOf(command: { type: string; message?: MessageFacts }): MessageFacts | undefined {
  return command.message;
}
