import { z } from 'zod';
import { ConversationIdSchema, UserIdSchema } from '../primitives/ids.js';

export const TypingSchema = z
  .strictObject({ conversationId: ConversationIdSchema, isTyping: z.boolean().default(true) })
  .meta({ id: 'Typing', examples: [{ conversationId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91' }] });
export type TypingPayload = z.infer<typeof TypingSchema>;

export const TypingIndicatorSchema = z
  .object({ conversationId: ConversationIdSchema, userId: UserIdSchema, isTyping: z.boolean() })
  .meta({ id: 'TypingIndicator' });
