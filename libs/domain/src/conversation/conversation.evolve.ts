import type { ConversationState, MaybeConversation, MemberState } from './conversation.state.js';
import type {
  ConversationCreated,
  ConversationEvent,
  MarksAdvanced,
  MembersChanged,
  MessageEdited,
  MessageSent,
} from './events/conversation-event.js';
import { previewOf } from './preview.js';

/** A conversation's membership begins with this epoch. */
const FIRST_EPOCH = 1;

/**
 * Applies an event. The given state is changed in place and returned (copying a thousand members for each message is
 * what this avoids); whoever wants to keep the old one clones it first. Only the first event of a conversation may meet `null`.
 */
export function evolve(state: MaybeConversation, event: ConversationEvent): ConversationState {
  if (event.type === 'conversation-created') return created(event);
  if (state === null) throw new Error(`${event.type} before conversation-created in ${event.conversationId}`);
  switch (event.type) {
    case 'message-sent':
      return sent(state, event);
    case 'message-edited':
      return lastMessageEdited(advance(state, event.rev), event);
    case 'message-deleted':
      return lastMessageDeleted(advance(state, event.rev), event.seq);
    case 'reaction-changed':
      return advance(state, event.rev);
    case 'conversation-renamed':
      state.name = event.name;
      return advance(state, event.rev);
    case 'members-changed':
      return membersChanged(advance(state, event.rev), event);
    case 'settings-changed': {
      const { mutedUntil, pinned, archived } = event;
      Object.assign(expectMember(state, event.userId), { mutedUntil, pinned, archived });
      return state;
    }
    case 'marks-advanced':
      return marksAdvanced(state, event);
  }
}

function advance(state: ConversationState, rev: number): ConversationState {
  if (rev !== state.lastRev + 1) {
    throw new Error(`rev ${rev} after ${state.lastRev} in ${state.conversationId}: revisions have no gaps`);
  }
  state.lastRev = rev;
  return state;
}

function expectMember(state: ConversationState, userId: string): MemberState {
  const member = state.members.get(userId);
  if (!member) throw new Error(`${userId} is not a member of ${state.conversationId}`);
  return member;
}

function created(event: ConversationCreated): ConversationState {
  const members = new Map<string, MemberState>();
  for (const { userId, role } of event.members) {
    members.set(userId, newMember({ userId, role, joinedAt: event.at, joinedEpoch: FIRST_EPOCH }, 0, null));
  }
  return {
    conversationId: event.conversationId,
    type: event.conversationType,
    name: event.name,
    createdAt: event.at,
    createdBy: event.createdBy,
    lastSeq: 0,
    lastRev: event.rev,
    membershipEpoch: FIRST_EPOCH,
    lastActivityAt: event.at,
    lastMessage: null,
    members,
    admins: event.members.filter((member) => member.role === 'admin').length,
  };
}

/** A member's marks begin at the last message before it joined. */
function newMember(
  joining: Pick<MemberState, 'userId' | 'role' | 'joinedAt' | 'joinedEpoch'>,
  lastSeq: number,
  lastMessageId: string | null,
): MemberState {
  return {
    ...joining,
    visibleFromSeq: lastSeq + 1,
    readSeq: lastSeq,
    readMessageId: lastMessageId,
    deliveredSeq: lastSeq,
    deliveredMessageId: lastMessageId,
    mutedUntil: null,
    pinned: false,
    archived: false,
  };
}

function sent(state: ConversationState, { message, at }: MessageSent): ConversationState {
  advance(state, message.rev);
  if (message.seq !== state.lastSeq + 1) {
    throw new Error(`seq ${message.seq} after ${state.lastSeq} in ${state.conversationId}: numbers have no gaps`);
  }
  state.lastSeq = message.seq;
  state.lastActivityAt = at;
  state.lastMessage = {
    messageId: message.messageId,
    seq: message.seq,
    senderId: message.senderId,
    preview: previewOf(message.content, message.contentType, message.media),
    contentType: message.contentType,
    at,
    deleted: false,
  };
  const sender = expectMember(state, message.senderId);
  sender.readSeq = sender.deliveredSeq = message.seq;
  sender.readMessageId = sender.deliveredMessageId = message.messageId;
  return state;
}

function lastMessageEdited(state: ConversationState, event: MessageEdited): ConversationState {
  const { seq, content, mediaPreview } = event;
  const last = state.lastMessage;
  if (last && last.seq === seq && !last.deleted) {
    // A policy may have put a text where there was none.
    last.preview = (content === '' ? mediaPreview : undefined) ?? previewOf(content, last.contentType);
  }
  return state;
}

function lastMessageDeleted(state: ConversationState, seq: number): ConversationState {
  const last = state.lastMessage;
  if (last && last.seq === seq) {
    last.preview = '';
    last.deleted = true;
  }
  return state;
}

function membersChanged(state: ConversationState, event: MembersChanged): ConversationState {
  const isAdmin = (userId: string): boolean => state.members.get(userId)?.role === 'admin';
  state.membershipEpoch = event.membershipEpoch;
  for (const userId of event.removed) {
    if (isAdmin(userId)) state.admins--;
    state.members.delete(userId);
  }
  for (const userId of event.added) {
    const lastMessageId = state.lastMessage?.messageId ?? null;
    const joining = { userId, role: 'member', joinedAt: event.at, joinedEpoch: event.membershipEpoch } as const;
    state.members.set(userId, newMember(joining, state.lastSeq, lastMessageId));
  }
  for (const [userId, role] of Object.entries(event.roles)) {
    if (isAdmin(userId)) state.admins--;
    expectMember(state, userId).role = role;
    if (role === 'admin') state.admins++;
  }
  return state;
}

function marksAdvanced(state: ConversationState, event: MarksAdvanced): ConversationState {
  for (const { userId, delivered, read } of event.marks) {
    const member = expectMember(state, userId);
    if (delivered) {
      member.deliveredSeq = delivered.seq;
      member.deliveredMessageId = delivered.messageId;
    }
    if (read) {
      member.readSeq = read.seq;
      member.readMessageId = read.messageId;
    }
  }
  return state;
}
