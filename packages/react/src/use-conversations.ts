import type { Conversation } from '@parley/sdk';
import { useCallback, useMemo, useSyncExternalStore } from 'react';
import { useParley } from './provider.js';

export interface ConversationsView {
  /** Pinned ones first, then by their latest activity. The same array while nothing in it changes. */
  readonly conversations: readonly Conversation[];
  /** Of all that are neither muted nor archived. */
  readonly unreadCount: number;
}

const NONE: readonly Conversation[] = [];

/** The list of conversations, live. */
export function useConversations(): ConversationsView {
  const { client } = useParley();
  const subscribe = useCallback((changed: () => void) => client?.on('conversations', changed) ?? (() => {}), [client]);
  const read = useCallback(() => client?.conversations ?? NONE, [client]);
  const conversations = useSyncExternalStore(subscribe, read, read);
  return useMemo(() => ({ conversations, unreadCount: client?.unreadCount ?? 0 }), [client, conversations]);
}
