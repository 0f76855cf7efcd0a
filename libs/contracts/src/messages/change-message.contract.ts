import { z } from 'zod';
import { ConversationIdSchema, MessageIdSchema } from '../primitives/ids.js';
import { EmojiSchema, MESSAGE_CODE_POINTS_MAX, textSchema } from '../primitives/text.js';
import { MessageSchema } from './message.contract.js';

const place = { conversationId: ConversationIdSchema, messageId: MessageIdSchema };
const example = { conversationId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91', messageId: '764123456789012480' };

// What the message is decides what it may become (nothing visible: with media alone; `encrypted`: base64 alone), so that
// is checked where the message is known: contentProblem.
const content = textSchema(MESSAGE_CODE_POINTS_MAX, { mayBeEmpty: true }).meta({
  description:
    'Under the rules of a send: something visible unless the message has media, and base64 where it is `encrypted`',
});

export const EditMessageBodySchema = z
  .strictObject({ content })
  .meta({ id: 'EditMessageBody', examples: [{ content: 'Hello again' }] });

export const EditMessageSchema = z
  .strictObject({ ...place, content })
  .meta({ id: 'EditMessage', examples: [{ ...example, content: 'Hello again' }] });
export type EditMessagePayload = z.infer<typeof EditMessageSchema>;

export const DeleteMessageSchema = z.strictObject(place).meta({ id: 'DeleteMessage', examples: [example] });
export type DeleteMessagePayload = z.infer<typeof DeleteMessageSchema>;

/** Payload of `react` and `unreact`. */
export const ReactSchema = z
  .strictObject({ ...place, emoji: EmojiSchema })
  .meta({ id: 'React', examples: [{ ...example, emoji: '👍' }] });
export type ReactPayload = z.infer<typeof ReactSchema>;

export const ChangedMessageSchema = z.object({ message: MessageSchema }).meta({ id: 'ChangedMessage' });
export type ChangedMessage = z.infer<typeof ChangedMessageSchema>;
