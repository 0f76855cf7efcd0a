import { hash } from 'node:crypto';
import type { SendMessagePayload } from '@parley/contracts';

const BASE64URL_CHARS = 22;

/**
 * 132 bits over what a sender asks to be sent. A repeated clientMsgId with another hash is another message; a field that
 * was left out counts as its default.
 */
export function requestHashOf({ content, contentType, mediaIds, replyToMessageId }: SendMessagePayload): string {
  const text = JSON.stringify([content, contentType, mediaIds ?? [], replyToMessageId ?? null]);
  return hash('sha256', text, 'base64url').slice(0, BASE64URL_CHARS);
}
