import { ConversationIdSchema, EmojiSchema, MessageIdSchema } from '@parley/contracts';
import { z } from 'zod';

const conversationId = ConversationIdSchema;
const messageId = MessageIdSchema;

export const ConversationParamsSchema = z.strictObject({ conversationId });
export type ConversationParams = z.infer<typeof ConversationParamsSchema>;

export const MessageParamsSchema = z.strictObject({ conversationId, messageId });
export type MessageParams = z.infer<typeof MessageParamsSchema>;

export const ReactionParamsSchema = z.strictObject({ conversationId, messageId, emoji: EmojiSchema });
export type ReactionParams = z.infer<typeof ReactionParamsSchema>;
