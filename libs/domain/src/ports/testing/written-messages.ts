import { randomUUID } from 'node:crypto';
import type { Message } from '@parley/contracts';
import { applyChange } from '../../messages/message.projection.js';
import type { MessageWrite, SendRow } from '../message-store.port.js';

const AT = Date.UTC(2026, 10, 22, 10);
export const SENDER = '00000000-0000-4000-8000-00000000000a';

/** The ids of two conversations never meet. */
let conversations = 0n;
const numbers = new Map<string, bigint>();

export function newConversation(): string {
  const conversationId = randomUUID();
  numbers.set(conversationId, BigInt(process.pid) * 1_000n + ++conversations);
  return conversationId;
}

/** A new message as its owner writes it; the conversation's creation was rev 1. */
export function sent(
  conversationId: string,
  seq: number,
  content = `message ${seq}`,
): MessageWrite & { send: SendRow } {
  const messageId = ((numbers.get(conversationId) as bigint) * 1_000_000n + BigInt(seq)).toString();
  const message: Message = {
    messageId,
    seq,
    rev: seq + 1,
    conversationId,
    senderId: SENDER,
    content,
    contentType: 'text',
    clientMsgId: `c${seq}`,
    timestamp: new Date(AT + seq).toISOString(),
    media: [],
    replyToMessageId: null,
    editedAt: null,
    deletedAt: null,
    reactions: [],
  };
  const { senderId, clientMsgId, rev } = message;
  const send = { conversationId, senderId, clientMsgId, messageId, seq, rev, at: AT + seq, requestHash: `h${seq}` };
  return { message, send };
}

export function edited({ message }: MessageWrite, rev: number, content: string): MessageWrite {
  return { message: applyChange(message, { type: 'message-edited', ...changeOf(message, rev), content }), send: null };
}

export function deleted({ message }: MessageWrite, rev: number): MessageWrite {
  const change = { type: 'message-deleted', ...changeOf(message, rev), deletedBy: SENDER } as const;
  return { message: applyChange(message, change), send: null };
}

export function reacted({ message }: MessageWrite, rev: number, emoji: string, present: boolean): MessageWrite {
  const change = { type: 'reaction-changed', ...changeOf(message, rev), userId: SENDER, emoji, present } as const;
  return { message: applyChange(message, change), send: null };
}

function changeOf({ conversationId, messageId, seq }: Message, rev: number) {
  return { version: 1, conversationId, at: AT + rev, rev, messageId, seq } as const;
}
