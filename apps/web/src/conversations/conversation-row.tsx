import { useTyping } from '@parley/react';
import type { Conversation } from '@parley/sdk';
import { memo, useSyncExternalStore } from 'react';
import { Icon } from '../design/icon.jsx';
import { ConversationAvatar } from '../people/avatar.jsx';
import { usePresence } from '../people/presence.jsx';
import { usePersonName } from '../people/use-person.js';
import { linkTo } from '../routing/use-route.js';
import { useSignedIn } from '../state/signed-in.js';
import { Tick } from '../timeline/tick.jsx';
import { listTime } from '../timeline/times.js';
import { useTypingText } from '../timeline/typing-text.js';
import { isMuted, otherMember, useConversationTitle } from './conversation-title.js';
import { hasReached } from './message-ids.js';
import { previewOf } from './preview.js';

interface RowProps {
  readonly conversation: Conversation;
  readonly isOpen: boolean;
  /** A server tells a client of so many users and no more. */
  readonly showsPresence: boolean;
}

/** One line of the list: who, when, the latest words, and how much is unread. */
export const ConversationRow = memo(function ConversationRow(props: RowProps) {
  const { conversation, isOpen, showsPresence } = props;
  const { client } = useSignedIn();
  const other = otherMember(conversation, client.userId);
  const presence = usePresence(showsPresence ? (other?.userId ?? null) : null);
  const { conversationId, unreadCount, settings, lastMessage } = conversation;
  const title = useConversationTitle(conversation);
  const muted = isMuted(conversation);
  return (
    <a
      className={`row ${unreadCount > 0 ? 'row-unread' : ''}`}
      aria-current={isOpen ? 'page' : undefined}
      {...linkTo({ name: 'conversation', conversationId })}
    >
      <ConversationAvatar conversation={conversation} presence={presence} />
      <span className="row-lines">
        <span className="row-line">
          <span className="row-title">
            {title}
            {presence?.status === 'online' && <span className="visually-hidden"> (online)</span>}
          </span>
          {muted && <Mark icon="mute" label="muted" />}
          {settings.pinned && <Mark icon="pin" label="pinned" />}
          {lastMessage && <time className="row-time">{listTime(lastMessage.timestamp)}</time>}
        </span>
        <span className="row-line">
          <Preview conversation={conversation} isOpen={isOpen} />
          {unreadCount > 0 && (
            <span className={muted ? 'badge badge-quiet' : 'badge'}>
              {unreadCount > 999 ? '999+' : unreadCount}
              <span className="visually-hidden"> unread</span>
            </span>
          )}
        </span>
      </span>
    </a>
  );
});

function Mark({ icon, label }: { icon: 'mute' | 'pin'; label: string }) {
  return (
    <span>
      <Icon name={icon} small />
      <span className="visually-hidden">{label}</span>
    </span>
  );
}

/** Who is typing, else what one has begun to write, else the latest message. */
function Preview({ conversation, isOpen }: { conversation: Conversation; isOpen: boolean }) {
  const { client, drafts } = useSignedIn();
  const { conversationId, lastMessage, type, members } = conversation;
  const typingText = useTypingText(useTyping(conversationId), type === 'group');
  const draft = useSyncExternalStore(drafts.subscribe, () => drafts.get(conversationId));
  const senderName = usePersonName(lastMessage?.senderId ?? client.userId);
  const text = previewOf(conversation);
  if (typingText !== '') return <span className="row-preview row-typing">{typingText}</span>;
  if (draft !== '' && !isOpen) {
    return (
      <span className="row-preview">
        <span className="row-draft">Draft: </span>
        {draft}
      </span>
    );
  }
  if (!lastMessage || text === null) return <span className="row-preview">No messages yet</span>;
  const isOwn = lastMessage.senderId === client.userId;
  const others = members.filter(({ userId }) => userId !== client.userId);
  const isRead = others.some((member) => hasReached(member.lastReadMessageId, lastMessage.messageId));
  const isDelivered = others.some((member) => hasReached(member.lastDeliveredMessageId, lastMessage.messageId));
  return (
    <>
      {isOwn && <Tick status={isRead ? 'read' : isDelivered ? 'delivered' : 'sent'} />}
      <span className="row-preview">
        {type === 'group' && !isOwn && senderName !== '' && `${senderName.split(' ')[0]}: `}
        {text}
      </span>
    </>
  );
}
