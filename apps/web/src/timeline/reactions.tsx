import type { Reaction, TimelineItem } from '@parley/sdk';
import { useSyncExternalStore } from 'react';
import { useNotices } from '../notices/notices.jsx';
import { useSignedIn } from '../state/signed-in.js';
import { useConversationActions } from './conversation-context.js';

const NAMES_SHOWN_MAX = 10;

/** The reactions to a message; a click adds one's own, or takes it back. */
export function Reactions({ item }: { item: TimelineItem }) {
  if (item.reactions.length === 0 || item.messageId === null) return null;
  return (
    <ul className="reactions" aria-label="Reactions">
      {item.reactions.map((reaction) => (
        <li key={reaction.emoji}>
          <ReactionChip reaction={reaction} messageId={item.messageId as string} />
        </li>
      ))}
    </ul>
  );
}

function ReactionChip({ reaction: { emoji, userIds }, messageId }: { reaction: Reaction; messageId: string }) {
  const { people } = useSignedIn();
  const { handle, selfId, canWrite } = useConversationActions();
  const { attempt } = useNotices();
  const isOwn = userIds.includes(selfId);
  const names = useSyncExternalStore(people.subscribe, () =>
    userIds
      .slice(0, NAMES_SHOWN_MAX)
      .map((userId) => (userId === selfId ? 'you' : (people.nameOf(userId) ?? 'somebody')))
      .join(', '),
  );
  const toggle = (): void =>
    void attempt(() => (isOwn ? handle.unreact(messageId, emoji) : handle.react(messageId, emoji)));
  return (
    <button
      type="button"
      className="reaction"
      aria-pressed={isOwn}
      aria-label={`${emoji} ${userIds.length}: ${names}`}
      title={names}
      disabled={!canWrite}
      onClick={toggle}
    >
      <span>{emoji}</span>
      <span>{userIds.length}</span>
    </button>
  );
}
