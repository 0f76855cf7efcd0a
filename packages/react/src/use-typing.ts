import { useMemo, useSyncExternalStore } from 'react';
import type { ParleyClient } from '@parley/sdk';
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
      let isOver = false;
      let stop = (): void => {};
      client.conversation(conversationId).then(
        (conversation) => {
          if (isOver) return;
          const show = (userIds: readonly string[]): void => {
            typing = userIds.length > 0 ? userIds : NOBODY;
            changed();
          };
          stop = conversation.on('typing', show);
          if (conversation.typingUserIds.length > 0) show(conversation.typingUserIds);
        },
        // A conversation that cannot be found has nobody who types.
        () => {},
      );
      return () => {
        isOver = true;
        stop();
      };
    },
  };
}
