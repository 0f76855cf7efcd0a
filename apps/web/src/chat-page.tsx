import { useConversations } from '@parley/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { ConversationPane } from './conversations/conversation-pane.jsx';
import { Sidebar } from './conversations/sidebar.jsx';
import { NewChatDialog } from './conversations/new-chat-dialog.jsx';
import { Icon } from './design/icon.jsx';
import { ConnectionBanner } from './notices/connection-banner.jsx';
import { useDocumentTitle } from './notices/document-title.js';
import { useMessageNotifications } from './notifications/use-message-notifications.js';
import { usePush } from './notifications/use-push.js';
import type { Route } from './routing/route.js';
import { navigate, useRoute } from './routing/use-route.js';
import { SettingsDialog } from './settings/settings-dialog.jsx';
import './chat-page.css';

const HOME: Route = { name: 'home' };

/** The list of conversations, the open one, and what is known of it. */
export function ChatPage() {
  const route = useRoute();
  const [isStartingChat, setStartingChat] = useState(false);
  const [areDetailsOpen, setDetailsOpen] = useState(false);
  // The settings lie over what was open before them, and lead back to it.
  const behind = useRef<Route>(HOME);
  if (route.name !== 'settings') behind.current = route.name === 'conversation' ? route : HOME;
  const place = route.name === 'settings' ? behind.current : route;
  const conversationId = place.name === 'conversation' ? place.conversationId : null;
  useMessageNotifications(conversationId);
  usePush();
  useDocumentTitle();
  useEffect(() => {
    // Whoever just signed in, or opened the page of an account, is where the chats are.
    if (route.name === 'login' || route.name === 'signup') navigate({ name: 'home' }, { replace: true });
  }, [route.name]);
  useEffect(() => {
    if (conversationId === null) setDetailsOpen(false);
  }, [conversationId]);
  const startChat = useCallback(() => setStartingChat(true), []);
  const toggleDetails = useCallback(() => setDetailsOpen((isOpen) => !isOpen), []);
  const withDetails = areDetailsOpen && conversationId !== null;
  const shown = conversationId === null ? 'panes-in-list' : 'panes-in-conversation';
  return (
    <div className="chat">
      <ConnectionBanner />
      <div className={`panes ${shown} ${withDetails ? 'panes-with-details' : ''}`}>
        <Sidebar openId={conversationId} onNewChat={startChat} />
        {conversationId === null ? (
          <NothingOpen onNewChat={startChat} />
        ) : (
          <ConversationPane
            key={conversationId}
            conversationId={conversationId}
            areDetailsOpen={withDetails}
            onToggleDetails={toggleDetails}
          />
        )}
      </div>
      {isStartingChat && <NewChatDialog onClose={() => setStartingChat(false)} />}
      {route.name === 'settings' && <SettingsDialog onClose={() => navigate(behind.current)} />}
    </div>
  );
}

function NothingOpen({ onNewChat }: { onNewChat: () => void }) {
  const hasConversations = useConversations().conversations.length > 0;
  return (
    <main className="pane pane-empty">
      <div className="empty">
        <Icon name="chat" />
        <h2>{hasConversations ? 'Pick up where you left off' : 'Say hello to somebody'}</h2>
        {hasConversations ? (
          <p>
            Choose a conversation, or press <kbd>Ctrl</kbd> <kbd>K</kbd> to find one.
          </p>
        ) : (
          <p>Find people by their name, one for a direct chat or several for a group.</p>
        )}
        <button type="button" className="button button-primary" onClick={onNewChat}>
          <Icon name="compose" />
          New chat
        </button>
      </div>
    </main>
  );
}
