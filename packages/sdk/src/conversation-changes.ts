import { laterMark } from './message-ids.js';
import type { Conversation, Media, Message, ServerEventPayload } from './wire.js';

export function withReadMark(
  conversation: Conversation,
  lastReadMessageId: string | null,
  lastReadSeq: number,
): Conversation {
  const unreadCount = Math.max(0, conversation.lastSeq - lastReadSeq);
  return { ...conversation, lastReadMessageId, lastReadSeq, unreadCount };
}

export function withMessage(conversation: Conversation, message: Message, selfId: string): Conversation {
  const { messageId, seq, senderId, contentType, timestamp } = message;
  const lastMessage = { messageId, seq, senderId, contentType, timestamp, preview: previewOf(message) };
  // Who sends has read what was there before, and has what it sends; of later ones a mark may have told already.
  const members = conversation.members.map((member) =>
    member.userId === senderId
      ? {
          ...member,
          lastReadMessageId: laterMark(member.lastReadMessageId, messageId),
          lastDeliveredMessageId: laterMark(member.lastDeliveredMessageId, messageId),
        }
      : member,
  );
  const next = { ...conversation, members, lastMessage, lastSeq: seq, lastActivityAt: timestamp };
  // A send moves its sender's own read mark to that message.
  if (senderId === selfId && seq > next.lastReadSeq) return withReadMark(next, messageId, seq);
  return { ...next, unreadCount: Math.max(0, seq - next.lastReadSeq) };
}

export function withMembers(
  conversation: Conversation,
  { added, removed, roles }: ServerEventPayload<'members_changed'>,
  selfId: string,
): Conversation {
  const gone = new Set([...removed, ...added.map(({ userId }) => userId)]);
  const before = conversation.members.filter(({ userId }) => !gone.has(userId));
  const room = Math.max(before.length, MEMBERS_SHOWN_MAX);
  const members = [...before, ...added]
    .slice(0, room)
    .map((member) => ({ ...member, role: roles[member.userId] ?? member.role }));
  const memberCount = conversation.memberCount + added.length - removed.length;
  return { ...conversation, members, memberCount, role: roles[selfId] ?? conversation.role };
}

/** As the server gives them. */
const MEMBERS_SHOWN_MAX = 20;
const PREVIEW_CODE_POINTS_MAX = 100;

/** As the server makes it: the beginning of the text; without a text, what the message carries. */
export function previewOf({ content, contentType, deletedAt, media }: Message): string {
  if (deletedAt !== null || contentType === 'encrypted') return '';
  if (content === '') return mediaPreview(media);
  const points = Array.from(content.slice(0, 2 * PREVIEW_CODE_POINTS_MAX));
  return points.slice(0, PREVIEW_CODE_POINTS_MAX).join('');
}

const MEDIA_KINDS = new Map([
  ['image', ['Photo', 'photos']],
  ['video', ['Video', 'videos']],
  ['audio', ['Audio', 'recordings']],
]);

function mediaPreview(media: readonly Media[]): string {
  const kinds = new Set(media.map(({ mimeType }) => mimeType.split('/')[0] ?? ''));
  const [one, many] = (kinds.size === 1 && MEDIA_KINDS.get([...kinds].join(''))) || [];
  return media.length > 1 ? `${media.length} ${many ?? 'files'}` : (one ?? media[0]?.fileName ?? '');
}

/** A snapshot may have been read before what came live; marks and settings have no revision and only move forward. */
export function newerOf(known: Conversation, told: Conversation): Conversation {
  if (told.lastRev < known.lastRev) return { ...known, settings: told.settings };
  const marks = new Map(known.members.map((member) => [member.userId, member]));
  const members = told.members.map((member) => {
    const before = marks.get(member.userId);
    if (!before || before.joinedAt !== member.joinedAt) return member;
    return {
      ...member,
      lastReadMessageId: laterMark(before.lastReadMessageId, member.lastReadMessageId),
      lastDeliveredMessageId: laterMark(before.lastDeliveredMessageId, member.lastDeliveredMessageId),
    };
  });
  const next = { ...told, members };
  return known.lastReadSeq > told.lastReadSeq ? withReadMark(next, known.lastReadMessageId, known.lastReadSeq) : next;
}
