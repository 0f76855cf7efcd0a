import { z } from 'zod';
import { ContentTypeSchema } from '../messages/message.contract.js';
import {
  ConversationIdSchema,
  GivenTimeSchema,
  MessageIdSchema,
  SeqSchema,
  TimeSchema,
  UserIdSchema,
  UuidSchema,
} from '../primitives/ids.js';
import { CursorSchema, pageSchema, QueryLimitSchema } from '../primitives/paging.js';
import { ConversationNameSchema } from '../primitives/text.js';

/** `Conversation.members` holds the first 20; the rest is paged. */
export const CONVERSATION_MEMBERS_SHOWN_MAX = 20;
/** The hard ceiling of what one request may name; GROUP_MEMBERS_MAX (configuration) bounds the group. */
export const MEMBER_IDS_PER_REQUEST_MAX = 10_000;
export const PREVIEW_CODE_POINTS_MAX = 100;

export const ConversationTypeSchema = z.enum(['direct', 'group']).meta({ id: 'ConversationType' });
export type ConversationType = z.infer<typeof ConversationTypeSchema>;
export const RoleSchema = z.enum(['admin', 'member']).meta({ id: 'Role' });
export type Role = z.infer<typeof RoleSchema>;

export const MemberSchema = z
  .object({
    userId: UserIdSchema,
    displayName: z.string(),
    role: RoleSchema,
    joinedAt: TimeSchema,
    lastReadMessageId: MessageIdSchema.nullable(),
    lastDeliveredMessageId: MessageIdSchema.nullable(),
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof MemberSchema>;
export const MemberListSchema = pageSchema('MemberList', MemberSchema);

export const LastMessageSchema = z
  .object({
    messageId: MessageIdSchema,
    seq: SeqSchema,
    senderId: UserIdSchema,
    preview: z.string(),
    contentType: ContentTypeSchema,
    timestamp: TimeSchema,
  })
  .meta({ id: 'LastMessage' });
export type LastMessage = z.infer<typeof LastMessageSchema>;

export const SettingsSchema = z
  .object({ mutedUntil: TimeSchema.nullable(), pinned: z.boolean(), archived: z.boolean() })
  .meta({ id: 'Settings', examples: [{ mutedUntil: null, pinned: true, archived: false }] });
export type Settings = z.infer<typeof SettingsSchema>;

export const ConversationSchema = z
  .object({
    conversationId: ConversationIdSchema,
    type: ConversationTypeSchema,
    name: z.string().nullable(),
    createdAt: TimeSchema,
    createdBy: UserIdSchema,
    lastSeq: SeqSchema,
    lastRev: z.int(),
    lastMessage: LastMessageSchema.nullable(),
    lastActivityAt: TimeSchema,
    unreadCount: z.int(),
    lastReadMessageId: MessageIdSchema.nullable(),
    lastReadSeq: SeqSchema,
    visibleFromSeq: SeqSchema.meta({ description: 'The first seq that the caller may see' }),
    memberCount: z.int(),
    members: z.array(MemberSchema).meta({ description: `The first ${CONVERSATION_MEMBERS_SHOWN_MAX}` }),
    role: RoleSchema,
    settings: SettingsSchema,
  })
  .meta({ id: 'Conversation' });
export type Conversation = z.infer<typeof ConversationSchema>;
export const ConversationListSchema = pageSchema('ConversationList', ConversationSchema);

const memberIds = z.array(UserIdSchema).max(MEMBER_IDS_PER_REQUEST_MAX);

export const CreateConversationSchema = z
  .strictObject({
    type: ConversationTypeSchema,
    memberIds,
    name: ConversationNameSchema.nullable().optional(),
    clientRequestId: UuidSchema.optional().meta({ description: 'A repeated one gives the same group' }),
  })
  .superRefine((body, context) => {
    const refuse = (path: string, code: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], params: { code }, message });
    if (body.type !== 'direct') return;
    if (new Set(body.memberIds).size !== 1)
      refuse('memberIds', 'invalid_value', 'A direct conversation names one other user');
    if (body.name != null) refuse('name', 'invalid_value', 'A direct conversation has no name');
  })
  .meta({
    id: 'CreateConversation',
    examples: [{ type: 'direct', memberIds: ['0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92'] }],
  });
export type CreateConversationBody = z.infer<typeof CreateConversationSchema>;

export const ListConversationsQuerySchema = z.strictObject({
  cursor: CursorSchema.optional(),
  limit: QueryLimitSchema,
  archived: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
});
export type ListConversationsQuery = z.infer<typeof ListConversationsQuerySchema>;

export const RenameConversationSchema = z
  .strictObject({ name: ConversationNameSchema.optional() })
  .meta({ id: 'RenameConversation', examples: [{ name: 'Engine room' }] });

/** The ids are keys, so two spellings of one are found before both become the same. */
const givenRoles = z
  .record(z.guid().meta({ description: 'A user' }), RoleSchema)
  .superRefine((roles, context) => {
    const seen = new Set<string>();
    for (const key of Object.keys(roles)) {
      const userId = key.toLowerCase();
      if (seen.has(userId)) {
        const message = 'This user is there twice';
        context.addIssue({ code: 'custom', path: [key], params: { code: 'duplicate_key' }, message });
      }
      seen.add(userId);
    }
  })
  .overwrite((roles) =>
    Object.fromEntries(Object.entries(roles).map(([userId, role]) => [userId.toLowerCase(), role])),
  );

export const ChangeMembersSchema = z
  .strictObject({
    add: memberIds.optional(),
    remove: memberIds.optional(),
    roles: givenRoles.optional(),
  })
  .superRefine((body, context) => {
    const roles = Object.keys(body.roles ?? {});
    if (roles.length > MEMBER_IDS_PER_REQUEST_MAX) {
      context.addIssue({ code: 'custom', path: ['roles'], params: { code: 'too_many' }, message: 'Too many roles' });
    }
    if (!body.add?.length && !body.remove?.length && roles.length === 0) {
      context.addIssue({ code: 'custom', params: { code: 'empty' }, message: 'Nothing to add, remove or set' });
    }
    const removed = new Set(body.remove);
    const both = body.add?.find((userId) => removed.has(userId));
    if (both !== undefined) {
      const message = 'The same user cannot be added and removed at once';
      context.addIssue({ code: 'custom', path: ['add'], params: { code: 'exclusive' }, message });
    }
  })
  .meta({ id: 'ChangeMembers', examples: [{ add: ['0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92'] }] });
export type ChangeMembersBody = z.infer<typeof ChangeMembersSchema>;

export const ChangeSettingsSchema = z
  .strictObject({
    mutedUntil: GivenTimeSchema.nullable().optional(),
    pinned: z.boolean().optional(),
    archived: z.boolean().optional(),
  })
  .meta({ id: 'ChangeSettings', examples: [{ pinned: true }] });
export type ChangeSettingsBody = z.infer<typeof ChangeSettingsSchema>;

export const ConversationUpdatedSchema = z
  .object({ conversationId: ConversationIdSchema, rev: z.int(), name: z.string().nullable() })
  .meta({ id: 'ConversationUpdated' });
export const MembersChangedSchema = z
  .object({
    conversationId: ConversationIdSchema,
    rev: z.int(),
    added: z.array(MemberSchema),
    removed: z.array(UserIdSchema),
    roles: z.record(UserIdSchema, RoleSchema),
  })
  .meta({ id: 'MembersChanged' });
export const ConversationRemovedSchema = z
  .object({ conversationId: ConversationIdSchema })
  .meta({ id: 'ConversationRemoved' });
