import { z } from 'zod';
import { ConversationIdSchema, MessageIdSchema, SeqSchema, TimeSchema, UserIdSchema } from '../primitives/ids.js';
import { pageSchema } from '../primitives/paging.js';

/** Members of larger conversations ask for delivery receipts (GET receipts) instead of being told. */
export const DELIVERY_RECEIPT_MEMBERS_MAX = 20;
/** Above this, read receipts go to the reader's own devices only. */
export const READ_RECEIPT_MEMBERS_MAX = 100;

const example = { conversationId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91', lastReadMessageId: '764123456789012480' };

export const MarkReadBodySchema = z
  .strictObject({ lastReadMessageId: MessageIdSchema })
  .meta({ id: 'MarkReadBody', examples: [{ lastReadMessageId: example.lastReadMessageId }] });

export const MarkReadSchema = z
  .strictObject({ conversationId: ConversationIdSchema, lastReadMessageId: MessageIdSchema })
  .meta({ id: 'MarkRead', examples: [example] });
export type MarkReadPayload = z.infer<typeof MarkReadSchema>;

export const ReadMarkSchema = z
  .object({ lastReadMessageId: MessageIdSchema.nullable(), lastReadSeq: SeqSchema, unreadCount: z.int() })
  .meta({ id: 'ReadMark' });
export type ReadMark = z.infer<typeof ReadMarkSchema>;

export const AckSchema = z
  .strictObject({ messageId: MessageIdSchema, conversationId: ConversationIdSchema.optional() })
  .meta({ id: 'Ack', examples: [{ messageId: '764123456789012480' }] });
export type AckPayload = z.infer<typeof AckSchema>;

export const ReceiptSchema = z
  .object({ userId: UserIdSchema, deliveredAt: TimeSchema.nullable(), readAt: TimeSchema.nullable() })
  .meta({ id: 'Receipt' });
export type Receipt = z.infer<typeof ReceiptSchema>;
export const ReceiptListSchema = pageSchema('ReceiptList', ReceiptSchema);

export const DeliveryReceiptSchema = z
  .object({ conversationId: ConversationIdSchema, userId: UserIdSchema, lastDeliveredMessageId: MessageIdSchema })
  .meta({ id: 'DeliveryReceipt' });
export const ReadReceiptSchema = z
  .object({ conversationId: ConversationIdSchema, userId: UserIdSchema, lastReadMessageId: MessageIdSchema })
  .meta({ id: 'ReadReceipt' });
