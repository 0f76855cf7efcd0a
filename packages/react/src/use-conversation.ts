import { useMemo, useSyncExternalStore } from 'react';
import { ConversationSource, NO_CONVERSATION, type ConversationView } from './conversation-source.js';
import { useParley } from './provider.js';

export type { ConversationView };

const nothing = (): (() => void) => () => {};
const none = (): ConversationView => NO_CONVERSATION;

/** A conversation with its timeline, live; kept open while the component is mounted. Null: none. */
export function useConversation(conversationId: string | null): ConversationView {
  const { client } = useParley();
  const source = useMemo(
    () => (client && conversationId !== null ? new ConversationSource(client, conversationId) : null),
    [client, conversationId],
  );
  const read = source?.read ?? none;
  return useSyncExternalStore(source?.subscribe ?? nothing, read, read);
}
