import { z } from 'zod';
import { ConversationSchema } from '../conversations/conversation.contract.js';
import { MessageSchema } from '../messages/message.contract.js';
import { ConversationIdSchema, SeqSchema } from '../primitives/ids.js';
import { CURSOR_CHARS_MAX, LimitSchema, PAGE_ITEMS_DEFAULT } from '../primitives/paging.js';

export const SYNC_CURSORS_MAX = 200;

export const SyncCursorSchema = z
  .strictObject({ conversationId: ConversationIdSchema, afterSeq: SeqSchema, afterRev: SeqSchema.optional() })
  .meta({ id: 'SyncCursor' });
export type SyncCursor = z.infer<typeof SyncCursorSchema>;

export const SyncSchema = z
  .strictObject({
    since: z.string().min(1).max(CURSOR_CHARS_MAX).optional().meta({ description: '`syncedAt` of the last sync' }),
    cursors: z.array(SyncCursorSchema).max(SYNC_CURSORS_MAX).default([]),
    limit: LimitSchema.default(PAGE_ITEMS_DEFAULT),
    cursor: z.string().min(1).max(CURSOR_CHARS_MAX).optional().meta({ description: '`nextCursor` of the last page' }),
  })
  .meta({ id: 'Sync', examples: [{ cursors: [] }] });
export type SyncPayload = z.infer<typeof SyncSchema>;

export const SyncedConversationSchema = z
  .object({
    conversation: ConversationSchema,
    messages: z.array(MessageSchema),
    changes: z.array(MessageSchema),
    next: z.object({ afterSeq: SeqSchema, afterRev: SeqSchema }),
    hasMore: z.boolean(),
    reset: z.boolean(),
  })
  .meta({ id: 'SyncedConversation' });
export type SyncedConversation = z.infer<typeof SyncedConversationSchema>;

export const SyncAnswerSchema = z
  .object({
    syncedAt: z.string(),
    conversations: z.array(SyncedConversationSchema),
    removed: z.array(ConversationIdSchema),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'SyncAnswer' });
export type SyncAnswer = z.infer<typeof SyncAnswerSchema>;

export const HeadsSchema = z
  .object({
    heads: z.array(z.object({ conversationId: ConversationIdSchema, lastSeq: SeqSchema, lastRev: SeqSchema })),
  })
  .meta({ id: 'Heads' });
export type Heads = z.infer<typeof HeadsSchema>;
