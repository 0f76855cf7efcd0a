import { z } from 'zod';
import {
  ClientMsgIdSchema,
  ConversationIdSchema,
  MediaIdSchema,
  MessageIdSchema,
  TimeSchema,
} from '../primitives/ids.js';
import { MESSAGE_CODE_POINTS_MAX, type TextProblem, textProblem } from '../primitives/text.js';
import { type ContentType, ContentTypeSchema } from './message.contract.js';

export const MESSAGE_MEDIA_MAX = 10;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export interface ContentProblem {
  code: TextProblem['code'] | 'invalid_base64';
  message: string;
}

interface Body {
  content: string;
  contentType: ContentType;
  mediaIds?: string[] | undefined;
}

/** What is wrong with the content of a message of this type, with media or without, or null. */
export function contentProblem(content: string, contentType: ContentType, hasMedia: boolean): ContentProblem | null {
  const problem = textProblem(content, MESSAGE_CODE_POINTS_MAX, hasMedia);
  if (problem) return problem;
  if (contentType === 'encrypted' && !BASE64.test(content)) return { code: 'invalid_base64', message: 'Not base64' };
  return null;
}

function checkContent({ content, contentType, mediaIds }: Body, context: z.core.$RefinementCtx): void {
  const problem = contentProblem(content, contentType, (mediaIds?.length ?? 0) > 0);
  if (!problem) return;
  context.addIssue({ code: 'custom', path: ['content'], params: { code: problem.code }, message: problem.message });
}

const fields = {
  content: z
    .string()
    .default('')
    .meta({ description: `Stored exactly as sent; up to ${MESSAGE_CODE_POINTS_MAX} code points`, examples: ['Hello'] }),
  contentType: ContentTypeSchema.default('text'),
  clientMsgId: ClientMsgIdSchema,
  mediaIds: z.array(MediaIdSchema).max(MESSAGE_MEDIA_MAX).optional(),
  replyToMessageId: MessageIdSchema.nullable().optional(),
};

const example = { content: 'Hello', clientMsgId: '2f1c9a52-8f0e-4c8e-9d3e-6f2b1c0a7d11' };

/** Body of POST /v1/conversations/{id}/messages. */
export const SendMessageBodySchema = z
  .strictObject(fields)
  .superRefine(checkContent)
  .meta({ id: 'SendMessageBody', examples: [example] });
export type SendMessageBody = z.infer<typeof SendMessageBodySchema>;

/** Payload of the socket's `send_message`. */
export const SendMessageSchema = z
  .strictObject({ conversationId: ConversationIdSchema, ...fields })
  .superRefine(checkContent)
  .meta({ id: 'SendMessage', examples: [{ conversationId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91', ...example }] });
export type SendMessagePayload = z.infer<typeof SendMessageSchema>;

export const AcceptedSchema = z
  .object({ status: z.literal('accepted'), clientMsgId: ClientMsgIdSchema })
  .meta({ id: 'Accepted', examples: [{ status: 'accepted', clientMsgId: example.clientMsgId }] });
export type Accepted = z.infer<typeof AcceptedSchema>;

export const StoredSchema = z
  .object({
    status: z.literal('stored'),
    messageId: MessageIdSchema,
    seq: z.int(),
    rev: z.int(),
    timestamp: TimeSchema,
    clientMsgId: ClientMsgIdSchema,
    duplicate: z.boolean().meta({ description: 'True when this clientMsgId was stored before' }),
  })
  .meta({ id: 'Stored' });
export type Stored = z.infer<typeof StoredSchema>;
