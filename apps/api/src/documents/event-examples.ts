import {
  type CLIENT_EVENTS,
  type ClientEventPayload,
  type Handshake,
  type SERVER_EVENTS,
  type ServerEventPayload,
  type SocketError,
} from '@parley/contracts';
import type { z } from 'zod';
import { EXAMPLE } from './answer-examples.js';

type ClientExamples = {
  [Name in keyof typeof CLIENT_EVENTS]: {
    payload: ClientEventPayload<Name>;
    answer: z.infer<(typeof CLIENT_EVENTS)[Name]['answer']>;
  };
};
type ServerExamples = { [Name in keyof typeof SERVER_EVENTS]: ServerEventPayload<Name> };

const { message, conversation, member, friend, readMark, sync } = EXAMPLE;
const { messageId, conversationId, clientMsgId, timestamp, senderId } = message;
const place = { conversationId, messageId };
const later = '2026-11-22T10:15:00.000Z';

const error: SocketError = { code: 'not_found', status: 404, detail: 'No such conversation', retryable: false };

const client: ClientExamples = {
  send_message: {
    payload: { conversationId, content: message.content, clientMsgId },
    answer: { status: 'stored', messageId, seq: 1, rev: 2, timestamp, clientMsgId, duplicate: false },
  },
  edit_message: {
    payload: { ...place, content: 'Hello again' },
    answer: { message: { ...message, rev: 3, content: 'Hello again', editedAt: later } },
  },
  delete_message: {
    payload: place,
    answer: { message: { ...message, rev: 4, content: '', deletedAt: later } },
  },
  react: {
    payload: { ...place, emoji: '👍' },
    answer: { message: { ...message, rev: 3, reactions: [{ emoji: '👍', userIds: [senderId] }] } },
  },
  unreact: { payload: { ...place, emoji: '👍' }, answer: { message: { ...message, rev: 4 } } },
  ack: { payload: place, answer: {} },
  read_receipt: { payload: { conversationId, lastReadMessageId: messageId }, answer: readMark },
  typing: { payload: { conversationId, isTyping: true }, answer: {} },
  sync: { payload: { cursors: [{ conversationId, afterSeq: 0 }] }, answer: sync },
  presence_subscribe: {
    payload: { userIds: [friend.userId] },
    answer: { presences: [{ userId: friend.userId, status: 'online', lastSeen: null }] },
  },
  presence_unsubscribe: { payload: { userIds: [friend.userId] }, answer: {} },
  heartbeat: { payload: { active: true }, answer: { serverTime: later } },
  authenticate: { payload: { token: 'a fresh access token' }, answer: { expiresAt: later } },
};

const server: ServerExamples = {
  new_message: message,
  ack: { clientMsgId, conversationId, status: 'stored', messageId, seq: 1, rev: 2, timestamp },
  message_updated: { ...message, rev: 3, content: 'Hello again', editedAt: later },
  typing_indicator: { conversationId, userId: friend.userId, isTyping: true },
  delivery_receipt: { conversationId, userId: friend.userId, lastDeliveredMessageId: messageId },
  read_receipt: { conversationId, userId: friend.userId, lastReadMessageId: messageId },
  presence_update: { userId: friend.userId, status: 'offline', lastSeen: later },
  conversation_created: conversation,
  conversation_updated: { conversationId, rev: 5, name: 'Engine room' },
  members_changed: { conversationId, rev: 6, added: [member], removed: [friend.userId], roles: {} },
  conversation_removed: { conversationId },
  heads: { heads: [{ conversationId, lastSeq: 1, lastRev: 2 }] },
  resync: {},
  token_expiring: { expiresAt: later },
  closing: { code: 'draining', reconnect: 'now', afterMs: 800 },
};

const handshake: Handshake = { token: 'a fresh access token', deviceId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b93' };

export const EVENT_EXAMPLES = { client, server, error, handshake };
