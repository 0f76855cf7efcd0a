import {
  ConversationListSchema,
  ConversationSchema,
  DeviceListSchema,
  DeviceSchema,
  MemberListSchema,
  MessagePageSchema,
  MessageSchema,
  PresenceListSchema,
  ReadMarkSchema,
  ReceiptListSchema,
  SessionSchema,
  SyncAnswerSchema,
  UserListSchema,
  UserSchema,
  type Conversation,
  type Member,
  type ReadMark,
  type SyncAnswer,
} from '@parley/contracts';
import type { z } from 'zod';
import { exampleOf } from './json-schemas.js';

const user = exampleOf(UserSchema) as z.infer<typeof UserSchema>;
const message = exampleOf(MessageSchema) as z.infer<typeof MessageSchema>;
const createdAt = '2026-11-22T09:59:00.000Z';

const member: Member = {
  userId: user.userId,
  displayName: user.displayName,
  role: 'member',
  joinedAt: createdAt,
  lastReadMessageId: message.messageId,
  lastDeliveredMessageId: message.messageId,
};

const friend: Member = {
  userId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92',
  displayName: 'Charles Babbage',
  role: 'member',
  joinedAt: createdAt,
  lastReadMessageId: null,
  lastDeliveredMessageId: null,
};

const conversation: Conversation = {
  conversationId: message.conversationId,
  type: 'direct',
  name: null,
  createdAt,
  createdBy: user.userId,
  lastSeq: 1,
  lastRev: 2,
  lastMessage: {
    messageId: message.messageId,
    seq: 1,
    senderId: user.userId,
    preview: message.content,
    contentType: 'text',
    timestamp: message.timestamp,
  },
  lastActivityAt: message.timestamp,
  unreadCount: 0,
  lastReadMessageId: message.messageId,
  lastReadSeq: 1,
  visibleFromSeq: 1,
  memberCount: 2,
  members: [member, friend],
  role: 'member',
  settings: { mutedUntil: null, pinned: false, archived: false },
};

const readMark: ReadMark = { lastReadMessageId: message.messageId, lastReadSeq: 1, unreadCount: 0 };

const sync: SyncAnswer = {
  syncedAt: 'MTo3ODI6',
  conversations: [
    {
      conversation,
      messages: [message],
      changes: [],
      next: { afterSeq: 1, afterRev: 2 },
      hasMore: false,
      reset: false,
    },
  ],
  removed: [],
  nextCursor: null,
};

/** One story told by every example: Ada greets Charles. */
export const EXAMPLE = { user, message, conversation, member, friend, readMark, sync };

function page<Item>(...items: Item[]): { items: Item[]; nextCursor: null } {
  return { items, nextCursor: null };
}

function example<Schema extends z.ZodType>(schema: Schema, value: z.infer<Schema>): [z.ZodType, unknown] {
  return [schema, value];
}

/** For answers that are made of others, an example each; those that stand alone carry theirs in the contract. */
const EXAMPLES = new Map<z.ZodType, unknown>([
  example(ConversationSchema, conversation),
  example(ConversationListSchema, page(conversation)),
  example(DeviceListSchema, page(exampleOf(DeviceSchema) as z.infer<typeof DeviceSchema>)),
  example(MemberListSchema, page(member, friend)),
  example(MessagePageSchema, { ...page(message), hasBefore: false, hasAfter: false }),
  example(PresenceListSchema, page({ userId: friend.userId, status: 'online' as const, lastSeen: null })),
  example(ReadMarkSchema, readMark),
  example(ReceiptListSchema, page({ userId: friend.userId, deliveredAt: message.timestamp, readAt: null })),
  example(SessionSchema, {
    user: { ...user, presenceHidden: false, pushPreview: true },
    accessToken: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkwYTZjNCJ9.c2lnbmF0dXJl',
    refreshToken: 'Zm9yIGFuIGV4YW1wbGUgb25seQ',
    expiresIn: 900,
  }),
  example(SyncAnswerSchema, sync),
  example(UserListSchema, page(user)),
]);

/** @throws Error for an answer that has no example: every one in the document has. */
export function answerExampleOf(schema: z.ZodType): unknown {
  const value = EXAMPLES.get(schema) ?? exampleOf(schema);
  if (value === undefined) throw new Error('An answer has no example; give it one in answer-examples.ts');
  return value;
}
