import { useMemo, useSyncExternalStore } from 'react';
import type { ParleyClient, ParleyConversation } from '@parley/sdk';
import { followConversation } from './follow-conversation.js';
import { useParley } from './provider.js';

const NOBODY: readonly string[] = [];

/** The ids of those who are typing in a conversation now, without opening its timeline. */
export function useTyping(conversationId: string | null): readonly string[] {
  const { client } = useParley();
  const source = useMemo(() => typingSource(client, conversationId), [client, conversationId]);
  return useSyncExternalStore(source.subscribe, source.read, source.read);
}

function typingSource(client: ParleyClient | null, conversationId: string | null) {
  let typing = NOBODY;
  return {
    read: () => typing,
    subscribe: (changed: () => void): (() => void) => {
      if (!client || conversationId === null) return () => {};
      const show = (userIds: readonly string[]): void => {
        typing = userIds.length > 0 ? userIds : NOBODY;
        changed();
      };
      const follow = (conversation: ParleyConversation, gone: () => void): (() => void) => {
        const stops = [
          conversation.on('typing', show),
          conversation.on('removed', () => {
            end();
            gone();
            show(NOBODY);
          }),
        ];
        const end = (): void => stops.forEach((stop) => stop());
        // Whoever looks again after a while may still have what was then.
        show(conversation.typingUserIds);
        return end;
      };
      // A conversation that cannot be found has nobody who types.
      return followConversation(client, conversationId, follow, () => show(NOBODY));
    },
  };
}
