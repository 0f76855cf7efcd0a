import type { PriorSend } from '../conversation/conversation.state.js';
import type { LogRecord } from '../ports/command-log.port.js';
import type { MessageStore, SendKey } from '../ports/message-store.port.js';
import { sendKey } from './batch-builder.js';

/** The stored sends with the keys of those among the records, by `sendKey`. @throws DomainError `store_unavailable` */
export async function loadEarlierSends(
  store: MessageStore,
  records: readonly LogRecord[],
): Promise<Map<string, PriorSend>> {
  const keys: SendKey[] = [];
  for (const { record } of records) {
    if (record?.command.type !== 'send-message') continue;
    const { conversationId, actorId, command } = record;
    keys.push({ conversationId, senderId: actorId, clientMsgId: command.clientMsgId });
  }
  if (keys.length === 0) return new Map();
  const rows = await store.findSends(keys);
  return new Map(rows.map((row) => [sendKey(row.conversationId, row.senderId, row.clientMsgId), row]));
}

/** Of other sends a repetition shows when they are to be stored; these come to nothing that is. */
export function isRefusedUnlessRepeated({ record }: LogRecord): boolean {
  return record?.command.type === 'send-message' && record.command.refusedUnlessRepeated !== undefined;
}
