import { useConversations, useTyping } from '@parley/react';
import type { Conversation, ParleyConversation } from '@parley/sdk';
import { useEffect, useRef, useState } from 'react';
import { Icon, IconButton } from '../design/icon.jsx';
import { DetailsPanel } from '../details/details-panel.jsx';
import { ConversationAvatar } from '../people/avatar.jsx';
import { presenceText, usePresence } from '../people/presence.jsx';
import { navigate } from '../routing/use-route.js';
import { useSignedIn } from '../state/signed-in.js';
import { useConversationHandle } from '../state/use-conversation.js';
import { TimelineArea } from '../timeline/timeline-area.jsx';
import { TimelineSkeleton } from '../timeline/timeline-skeleton.jsx';
import { useTypingText } from '../timeline/typing-text.js';
import { otherMember, useConversationTitle } from './conversation-title.js';
import './conversation-pane.css';

interface PaneProps {
  readonly conversationId: string;
  readonly areDetailsOpen: boolean;
  readonly onToggleDetails: () => void;
}

/** One conversation: its head, its timeline and where one writes, beside them what is known of it. */
export function ConversationPane({ conversationId, areDetailsOpen, onToggleDetails }: PaneProps) {
  const opened = useConversationHandle(conversationId);
  const live = useConversations().conversations.find((each) => each.conversationId === conversationId);
  // Of one that has ended under our eyes the last state stays to be read.
  const last = useRef(live);
  last.current = live ?? last.current;
  const conversation = last.current;
  if (opened.status === 'failed' && !conversation) return <NotHere />;
  if (opened.status !== 'open' || !conversation) return <Opening />;
  return (
    <>
      <OpenPane
        conversation={conversation}
        handle={opened.conversation}
        areDetailsOpen={areDetailsOpen}
        onToggleDetails={onToggleDetails}
      />
      {areDetailsOpen && (
        <DetailsPanel conversation={conversation} handle={opened.conversation} onClose={onToggleDetails} />
      )}
    </>
  );
}

function OpenPane(props: {
  conversation: Conversation;
  handle: ParleyConversation;
  areDetailsOpen: boolean;
  onToggleDetails: () => void;
}) {
  const { conversation, handle, areDetailsOpen, onToggleDetails } = props;
  const [hasEnded, setEnded] = useState(handle.isRemoved);
  useEffect(() => handle.on('removed', () => setEnded(true)), [handle]);
  const title = useConversationTitle(conversation);
  // Ended while one was away, and nothing of it was kept here.
  if (hasEnded && handle.timeline.length === 0) return <NotHere />;
  const leave = (event: React.KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented || event.nativeEvent.isComposing) return;
    if (areDetailsOpen) onToggleDetails();
    else navigate({ name: 'home' });
  };
  return (
    <main className="pane" aria-label={title} onKeyDown={leave}>
      <header className="pane-head">
        <IconButton
          icon="back"
          label="Back to all chats"
          className="pane-back"
          onClick={() => navigate({ name: 'home' })}
        />
        <button type="button" className="pane-title" aria-expanded={areDetailsOpen} onClick={onToggleDetails}>
          <ConversationAvatar conversation={conversation} />
          <span className="pane-title-lines">
            <h2>{title}</h2>
            <Subtitle conversation={conversation} />
          </span>
        </button>
        <IconButton
          icon="info"
          label="About this conversation"
          aria-expanded={areDetailsOpen}
          onClick={onToggleDetails}
        />
      </header>
      <TimelineArea conversation={conversation} handle={handle} hasEnded={hasEnded} />
      {hasEnded && (
        <p className="pane-ended" role="status">
          You are not a member of this conversation any more.
        </p>
      )}
    </main>
  );
}

function Subtitle({ conversation }: { conversation: Conversation }) {
  const isGroup = conversation.type === 'group';
  const { client } = useSignedIn();
  const presence = usePresence(otherMember(conversation, client.userId)?.userId ?? null);
  const typingText = useTypingText(useTyping(conversation.conversationId), isGroup);
  if (typingText !== '') {
    return (
      <span className="pane-typing" aria-live="polite">
        {typingText}
      </span>
    );
  }
  if (!isGroup) return <span>{presenceText(presence)}</span>;
  return <span>{conversation.memberCount === 1 ? '1 member' : `${conversation.memberCount} members`}</span>;
}

function Opening() {
  return (
    <main className="pane" aria-busy="true" aria-label="Conversation">
      <header className="pane-head">
        <IconButton
          icon="back"
          label="Back to all chats"
          className="pane-back"
          onClick={() => navigate({ name: 'home' })}
        />
      </header>
      <TimelineSkeleton />
    </main>
  );
}

function NotHere() {
  return (
    <main className="pane pane-empty">
      <div className="empty">
        <Icon name="block" />
        <h2>Nothing to see here</h2>
        <p>This conversation does not exist, or you are not a member of it.</p>
        <button type="button" className="button" onClick={() => navigate({ name: 'home' }, { replace: true })}>
          Back to your chats
        </button>
      </div>
    </main>
  );
}
