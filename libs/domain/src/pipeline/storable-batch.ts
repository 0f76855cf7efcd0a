import type { Message } from '@parley/contracts';
import { type DecidedBatch, DataRefused } from '../ports/batch-commit.port.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Where the stores are not one database, one must not keep what another refuses: a message that is stored while its
 * checkpoint never can be would share its seq with the next one. So what any of them refuses is refused before all.
 * @throws DataRefused naming the field, never its value
 */
export function refuseUnstorable({ messages, checkpoint }: DecidedBatch): void {
  for (const { message } of messages) refuseUnstorableMessage(message);
  for (const { conversationId, name, createdBy } of checkpoint.conversations) {
    refuseUnlessUuid('conversationId', conversationId);
    refuseUnlessUuid('createdBy', createdBy);
    refuseUnlessText('name', name ?? '');
  }
  for (const { member } of checkpoint.members) refuseUnlessUuid('userId', member.userId);
  for (const { marks } of checkpoint.receipts) for (const { userId } of marks) refuseUnlessUuid('userId', userId);
}

function refuseUnstorableMessage({ conversationId, senderId, content, clientMsgId, media, reactions }: Message): void {
  refuseUnlessUuid('conversationId', conversationId);
  refuseUnlessUuid('senderId', senderId);
  refuseUnlessText('content', content);
  refuseUnlessText('clientMsgId', clientMsgId);
  for (const { emoji } of reactions) refuseUnlessText('emoji', emoji);
  for (const medium of media) {
    for (const value of Object.values(medium)) if (typeof value === 'string') refuseUnlessText('media', value);
  }
}

function refuseUnlessUuid(field: string, value: string): void {
  if (!UUID.test(value)) throw new DataRefused(new Error(`${field} is no UUID`));
}

/** Postgres has no NUL in texts; half a character would silently become another one. */
function refuseUnlessText(field: string, value: string): void {
  if (value.includes('\0')) throw new DataRefused(new Error(`${field} contains NUL`));
  if (!value.isWellFormed()) throw new DataRefused(new Error(`${field} contains half a character`));
}
