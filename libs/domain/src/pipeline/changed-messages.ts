import type { Message } from '@parley/contracts';
import type { MessageFacts } from '../conversation/commands/conversation-command.js';
import type { LogRecord } from '../ports/command-log.port.js';
import type { MessageStore } from '../ports/message-store.port.js';

/** Conversations that are asked about at a time; a store far away would otherwise be waited for once for each. */
const CONVERSATIONS_AT_ONCE_MAX = 32;

/** The messages that commands of these records change, as they are stored, by id. */
export async function loadChangedMessages(
  store: MessageStore,
  records: readonly LogRecord[],
): Promise<Map<string, Message>> {
  const wanted = new Map<string, Set<string>>();
  for (const { record } of records) {
    const facts = record && messageFactsOf(record.command);
    if (!facts || !record) continue;
    const ids = wanted.get(record.conversationId) ?? new Set();
    wanted.set(record.conversationId, ids.add(facts.messageId));
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

function messageFactsOf(command: { type: string; message?: MessageFacts }): MessageFacts | undefined {
  return command.message;
}
