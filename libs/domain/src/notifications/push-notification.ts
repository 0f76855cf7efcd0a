import type { ContentType, ConversationType, Device, PushProviderName } from '@parley/contracts';

/** A message that members are to be notified of. */
export interface MessageNotice {
  conversationId: string;
  seq: number;
  messageId: string;
  senderId: string;
  contentType: ContentType;
  /** Its first characters; empty for what only clients can read. */
  preview: string;
  /** Milliseconds since the epoch. */
  sentAt: number;
}

/** What one device is to be told of one conversation now, with all that the telling needs. */
export interface PushTask {
  kind: 'message' | 'clear';
  userId: string;
  deviceId: string;
  provider: PushProviderName;
  pushToken: Device['pushToken'];
  conversationId: string;
  seq: number;
  messageId: string;
  /** This taking of the task; whoever finishes it says so by it. */
  claim: string;
  /** 1 at the first attempt. */
  attempt: number;
  /** Read, muted, deleted, or seen on another device meanwhile: nothing is to be sent. */
  isSuperfluous: boolean;
  /** Milliseconds since the task was made. */
  ageMs: number;
  /** Unread messages of the user in all conversations. */
  badge: number;
  conversationType: ConversationType;
  conversationName: string | null;
  senderId: string | null;
  senderName: string | null;
  contentType: ContentType | null;
  /** Null where the user, or what the message is, wants none. */
  preview: string | null;
}

/** What a provider is asked to bring to a device. Notifications of a conversation replace each other by `collapseId`. */
export interface PushNotification {
  kind: 'message' | 'clear';
  /** Both null for `clear`, which shows nothing and takes away what is shown of the conversation. */
  title: string | null;
  body: string | null;
  badge: number;
  /** 32 characters of `0-9a-f`, the same for all of a conversation. */
  collapseId: string;
  conversationId: string;
  messageId: string;
  seq: number;
  senderId: string | null;
  /** How long a provider may keep it for a device that is away. */
  ttlSeconds: number;
}

/** A device that comes back after a day sees its conversations by itself. */
export const PUSH_TTL_SECONDS = 24 * 3_600;
/** What a notification shows is cut to so many characters: providers refuse payloads above 4 KB. */
export const PUSH_TEXT_CHARS_MAX = 200;

const WITHOUT_PREVIEW: Record<ContentType, string> = {
  text: 'New message',
  image: 'New picture',
  file: 'New file',
  encrypted: 'New message',
};

export function pushNotificationOf(task: PushTask): PushNotification {
  const { kind, badge, conversationId, messageId, seq, senderId } = task;
  const collapseId = conversationId.replaceAll('-', '');
  const place = { kind, badge, collapseId, conversationId, messageId, seq, senderId, ttlSeconds: PUSH_TTL_SECONDS };
  if (kind === 'clear') return { ...place, title: null, body: null };
  const sender = cut(task.senderName ?? 'Somebody');
  const said = cut(task.preview?.trim() || WITHOUT_PREVIEW[task.contentType ?? 'text']);
  if (task.conversationType === 'direct') return { ...place, title: sender, body: said };
  return { ...place, title: cut(task.conversationName ?? sender), body: `${sender}: ${said}` };
}

/** Whole characters only: half a pair is not text. */
function cut(text: string): string {
  if (text.length <= PUSH_TEXT_CHARS_MAX) return text;
  return `${text.slice(0, PUSH_TEXT_CHARS_MAX - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
