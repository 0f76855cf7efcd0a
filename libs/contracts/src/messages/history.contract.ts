import { z } from 'zod';
import { MessageIdSchema } from '../primitives/ids.js';
import { CursorSchema, QueryLimitSchema } from '../primitives/paging.js';
import { MessageSchema } from './message.contract.js';

/** At most one of cursor, before, after, around. */
export const HistoryQuerySchema = z
  .strictObject({
    cursor: CursorSchema.optional(),
    before: MessageIdSchema.optional(),
    after: MessageIdSchema.optional(),
    around: z.union([z.literal('first_unread'), MessageIdSchema]).optional(),
    limit: QueryLimitSchema,
  })
  .superRefine((query, context) => {
    const given = (['cursor', 'before', 'after', 'around'] as const).filter((name) => query[name] !== undefined);
    if (given.length < 2) return;
    context.addIssue({
      code: 'custom',
      path: [given[1] as string],
      params: { code: 'exclusive' },
      message: `Only one of ${given.join(', ')}`,
    });
  });
export type HistoryQuery = z.infer<typeof HistoryQuerySchema>;

export const MessagePageSchema = z
  .object({
    items: z.array(MessageSchema),
    nextCursor: z.string().nullable(),
    hasBefore: z.boolean().meta({ description: 'There are older messages than these' }),
    hasAfter: z.boolean().meta({ description: 'There are newer messages than these' }),
  })
  .meta({ id: 'MessagePage' });
export type MessagePage = z.infer<typeof MessagePageSchema>;
