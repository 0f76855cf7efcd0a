import { z } from 'zod';
import {
  ClientMsgIdSchema,
  ConversationIdSchema,
  MediaIdSchema,
  MessageIdSchema,
  SeqSchema,
  TimeSchema,
  UserIdSchema,
} from '../primitives/ids.js';
import { EmojiSchema } from '../primitives/text.js';

export const CONTENT_TYPES = ['text', 'image', 'file', 'encrypted'] as const;
export const ContentTypeSchema = z.enum(CONTENT_TYPES).meta({ id: 'ContentType' });
export type ContentType = z.infer<typeof ContentTypeSchema>;

export const MediaSchema = z
  .object({
    mediaId: MediaIdSchema,
    url: z.string().meta({
      description: 'Path at this server; good for an hour and for this viewer, so that an `<img>` needs no header',
    }),
    thumbnailUrl: z
      .string()
      .nullable()
      .meta({ description: 'A picture of at most 320 pixels; null for what is no picture' }),
    screenUrl: z
      .string()
      .nullable()
      .optional()
      .meta({ description: 'A picture of at most 1,600 pixels; null where the original is no larger' }),
    mimeType: z.string(),
    sizeBytes: z.int(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    fileName: z.string(),
  })
  .meta({
    id: 'Media',
    examples: [
      {
        mediaId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92',
        url: '/v1/media/0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92?viewer=0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90&expires=1795345200&signature=mSgFZdnFYtFUYnYrpJ5wCA',
        thumbnailUrl:
          '/v1/media/0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92/thumbnail?viewer=0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90&expires=1795345200&signature=mSgFZdnFYtFUYnYrpJ5wCA',
        screenUrl: null,
        mimeType: 'image/jpeg',
        sizeBytes: 48_213,
        width: 1_024,
        height: 768,
        fileName: 'engine.jpg',
      },
    ],
  });
export type Media = z.infer<typeof MediaSchema>;

export const ReactionSchema = z.object({ emoji: EmojiSchema, userIds: z.array(UserIdSchema) }).meta({ id: 'Reaction' });
export type Reaction = z.infer<typeof ReactionSchema>;

export const MessageSchema = z
  .object({
    messageId: MessageIdSchema,
    seq: SeqSchema,
    rev: z.int().meta({ description: 'The revision of its latest change' }),
    conversationId: ConversationIdSchema,
    senderId: UserIdSchema,
    content: z.string(),
    contentType: ContentTypeSchema,
    clientMsgId: ClientMsgIdSchema,
    timestamp: TimeSchema,
    media: z.array(MediaSchema),
    replyToMessageId: MessageIdSchema.nullable(),
    editedAt: TimeSchema.nullable(),
    deletedAt: TimeSchema.nullable(),
    reactions: z.array(ReactionSchema),
  })
  .meta({
    id: 'Message',
    examples: [
      {
        messageId: '764123456789012480',
        seq: 1,
        rev: 2,
        conversationId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91',
        senderId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90',
        content: 'Hello',
        contentType: 'text',
        clientMsgId: '2f1c9a52-8f0e-4c8e-9d3e-6f2b1c0a7d11',
        timestamp: '2026-11-22T10:00:00.000Z',
        media: [],
        replyToMessageId: null,
        editedAt: null,
        deletedAt: null,
        reactions: [],
      },
    ],
  });
export type Message = z.infer<typeof MessageSchema>;
