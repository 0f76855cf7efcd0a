/** What the server sends to a browser: see docs/flows/push.md. */
export interface PushContent {
  readonly type: 'message' | 'clear';
  readonly conversationId: string;
  /** The same for all of a conversation: what is shown of it is replaced. */
  readonly tag: string;
  /** Of the message, or of the last one that was read. */
  readonly seq: number;
  readonly title: string;
  readonly body: string;
  /** Unread messages in all conversations. */
  readonly badge: number;
}

const CONVERSATION_ID = /^[0-9a-f-]{36}$/;

/** @returns null for what is not from this server, or from a newer one that says it differently */
export function pushContentOf(text: string): PushContent | null {
  let given: Record<string, unknown>;
  try {
    given = Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return null;
  }
  const { type, conversationId, tag, seq, title, body, badge } = given;
  if (type !== 'message' && type !== 'clear') return null;
  if (typeof conversationId !== 'string' || !CONVERSATION_ID.test(conversationId)) return null;
  if (typeof tag !== 'string' || typeof seq !== 'number') return null;
  const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
  const count = typeof badge === 'number' && badge >= 0 ? badge : 0;
  return { type, conversationId, tag, seq, title: textOf(title) || 'Parley', body: textOf(body), badge: count };
}
