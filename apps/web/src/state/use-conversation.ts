import type { ParleyConversation, ParleyError, TimelineItem } from '@parley/sdk';
import { useEffect, useState } from 'react';
import { useSignedIn } from './signed-in.js';

type Opened =
  | { readonly status: 'opening' }
  | { readonly status: 'open'; readonly conversation: ParleyConversation }
  | { readonly status: 'failed'; readonly error: ParleyError };

/**
 * The handle of a conversation; it stays the same as long as the user belongs to it. Not `useConversation` of
 * `@parley/react`: that is empty after a removal, where this page leaves the last state to be read, and everything below
 * it is rendered for each message, where only the timeline needs to be.
 */
export function useConversationHandle(conversationId: string): Opened {
  const { client } = useSignedIn();
  const [opened, setOpened] = useState<Opened>({ status: 'opening' });
  useEffect(() => {
    let isCurrent = true;
    const open = (): void => {
      client.conversation(conversationId).then(
        (conversation) => isCurrent && setOpened({ status: 'open', conversation }),
        (error: ParleyError) => isCurrent && setOpened({ status: 'failed', error }),
      );
    };
    open();
    // What could not be opened for want of a network is opened when there is one.
    const stop = client.on('connection', ({ status }) => {
      if (status === 'connected') setOpened((now) => (now.status === 'failed' && now.error.retryable ? retry() : now));
    });
    const retry = (): Opened => {
      open();
      return { status: 'opening' };
    };
    return () => {
      isCurrent = false;
      stop();
    };
  }, [client, conversationId]);
  return opened;
}

export interface TimelineView {
  readonly items: readonly TimelineItem[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  readonly isLoaded: boolean;
}

const NOTHING: TimelineView = { items: [], hasOlder: false, hasNewer: false, isLoaded: false };

/** The timeline as it is now, kept loaded while somebody looks at it. */
export function useTimeline(conversation: ParleyConversation): TimelineView {
  const [view, setView] = useState(NOTHING);
  useEffect(() => {
    const take = (items: readonly TimelineItem[]): void => {
      const { hasOlder, hasNewer, isLoaded } = conversation;
      setView({ items, hasOlder, hasNewer, isLoaded });
    };
    return conversation.subscribe(take);
  }, [conversation]);
  return view;
}
