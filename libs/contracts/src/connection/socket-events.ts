import { z } from 'zod';
import {
  ConversationRemovedSchema,
  ConversationSchema,
  ConversationUpdatedSchema,
  MembersChangedSchema,
} from '../conversations/conversation.contract.js';
import type { Refusal } from '../errors/error.contract.js';
import {
  ChangedMessageSchema,
  DeleteMessageSchema,
  EditMessageSchema,
  ReactSchema,
} from '../messages/change-message.contract.js';
import { MessageSchema } from '../messages/message.contract.js';
import { AcceptedSchema, SendMessageSchema, StoredSchema } from '../messages/send-message.contract.js';
import { PresenceSchema, PresencesSchema, PresenceUsersSchema } from '../presence/presence.contract.js';
import {
  AckSchema,
  DeliveryReceiptSchema,
  MarkReadSchema,
  ReadMarkSchema,
  ReadReceiptSchema,
} from '../receipts/receipt.contract.js';
import { HeadsSchema, SyncAnswerSchema, SyncSchema } from '../sync/sync.contract.js';
import { TypingIndicatorSchema, TypingSchema } from '../typing/typing.contract.js';
import {
  AckEventSchema,
  AuthenticatedSchema,
  AuthenticateSchema,
  ClosingSchema,
  HeartbeatAnswerSchema,
  HeartbeatSchema,
  ResyncSchema,
  TokenExpiringSchema,
} from './connection.contract.js';

const nothing = z.object({}).meta({ id: 'Empty' });

/** What a client may emit: the payload, and what `{ok: true}` of the acknowledgement carries beside it. */
export const CLIENT_EVENTS = {
  send_message: { payload: SendMessageSchema, answer: z.union([StoredSchema, AcceptedSchema]) },
  edit_message: { payload: EditMessageSchema, answer: ChangedMessageSchema },
  delete_message: { payload: DeleteMessageSchema, answer: ChangedMessageSchema },
  react: { payload: ReactSchema, answer: ChangedMessageSchema },
  unreact: { payload: ReactSchema, answer: ChangedMessageSchema },
  ack: { payload: AckSchema, answer: nothing },
  read_receipt: { payload: MarkReadSchema, answer: ReadMarkSchema },
  typing: { payload: TypingSchema, answer: nothing },
  sync: { payload: SyncSchema, answer: SyncAnswerSchema },
  presence_subscribe: { payload: PresenceUsersSchema, answer: PresencesSchema },
  presence_unsubscribe: { payload: PresenceUsersSchema, answer: nothing },
  heartbeat: { payload: HeartbeatSchema, answer: HeartbeatAnswerSchema },
  authenticate: { payload: AuthenticateSchema, answer: AuthenticatedSchema },
} as const satisfies Record<string, { payload: z.ZodType; answer: z.ZodType }>;

export type ClientEventName = keyof typeof CLIENT_EVENTS;

/** What the server emits. */
export const SERVER_EVENTS = {
  new_message: MessageSchema,
  ack: AckEventSchema,
  message_updated: MessageSchema,
  typing_indicator: TypingIndicatorSchema,
  delivery_receipt: DeliveryReceiptSchema,
  read_receipt: ReadReceiptSchema,
  presence_update: PresenceSchema,
  conversation_created: ConversationSchema,
  conversation_updated: ConversationUpdatedSchema,
  members_changed: MembersChangedSchema,
  conversation_removed: ConversationRemovedSchema,
  heads: HeadsSchema,
  resync: ResyncSchema,
  token_expiring: TokenExpiringSchema,
  closing: ClosingSchema,
} as const satisfies Record<string, z.ZodType>;

export type ServerEventName = keyof typeof SERVER_EVENTS;
export type ServerEventPayload<Name extends ServerEventName> = z.infer<(typeof SERVER_EVENTS)[Name]>;

export type ClientEventPayload<Name extends ClientEventName> = z.input<(typeof CLIENT_EVENTS)[Name]['payload']>;
export type ClientEventAnswer<Name extends ClientEventName> =
  ({ ok: true } & z.infer<(typeof CLIENT_EVENTS)[Name]['answer']>) | Refusal;

/** Socket.IO's typing maps, for servers and clients. */
export type ClientToServerEvents = {
  [Name in ClientEventName]: (
    payload: ClientEventPayload<Name>,
    answer: (answer: ClientEventAnswer<Name>) => void,
  ) => void;
};
export type ServerToClientEvents = { [Name in ServerEventName]: (payload: ServerEventPayload<Name>) => void };
