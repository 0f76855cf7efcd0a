import { useConnection, useConversations } from '@parley/react';
import type { Conversation, User } from '@parley/sdk';
import { useCallback, useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { Icon, IconButton } from '../design/icon.jsx';
import { useNotices } from '../notices/notices.jsx';
import { Avatar, PersonAvatar } from '../people/avatar.jsx';
import { usePersonName } from '../people/use-person.js';
import { SEARCH_FAILED, usePeopleSearch } from '../people/use-people-search.js';
import { linkTo, navigate } from '../routing/use-route.js';
import { useSignedIn } from '../state/signed-in.js';
import { ConversationRow } from './conversation-row.jsx';
import { conversationTitle, otherMember } from './conversation-title.js';
import { focusNeighbour } from './focus-neighbour.js';
import './sidebar.css';

/** Of the 500 users whose presence a client may follow; the open conversation and its members need some too. */
const PRESENCE_ROWS_MAX = 200;

/** All conversations, a search over them and over people, and the way to a new chat. */
export function Sidebar({ openId, onNewChat }: { openId: string | null; onNewChat: () => void }) {
  const { client } = useSignedIn();
  const { conversations } = useConversations();
  const [search, setSearch] = useState('');
  const wanted = useDeferredValue(search.trim());
  const list = useRef<HTMLElement>(null);
  const first = useFirstRow(list, wanted === search.trim());
  return (
    <nav className="sidebar" aria-label="Conversations">
      <header className="sidebar-head">
        <h1>Chats</h1>
        <IconButton icon="compose" label="New chat" onClick={onNewChat} />
        <a className="sidebar-me" {...linkTo({ name: 'settings' })} aria-label="Your profile and settings">
          <PersonAvatar userId={client.userId} name={usePersonName(client.userId)} size="small" />
        </a>
      </header>
      <SearchField
        value={search}
        onChange={(text) => {
          first.forget();
          setSearch(text);
        }}
        onEnter={() => first.will('click')}
        onDown={() => first.will('focus')}
        onLeave={first.forget}
      />
      <section
        ref={list}
        className="sidebar-list"
        aria-label={wanted === '' ? 'All conversations' : 'Found'}
        onKeyDown={(event) => focusNeighbour(event, list.current, '.row')}
      >
        {wanted === '' ? (
          <AllConversations conversations={conversations} openId={openId} onNewChat={onNewChat} />
        ) : (
          <Found
            wanted={wanted}
            conversations={conversations}
            openId={openId}
            onShown={first.look}
            onDone={() => setSearch('')}
          />
        )}
      </section>
    </nav>
  );
}

interface FirstRow {
  /** Does it to the first row of what is searched for: now, or as soon as there is one. */
  readonly will: (what: 'focus' | 'click') => void;
  readonly forget: () => void;
  /** To be called when rows may have come. */
  readonly look: () => void;
}

/** @param isCurrent whether the list shows what the field says: until then its rows are those of another search */
function useFirstRow(list: React.RefObject<HTMLElement | null>, isCurrent: boolean): FirstRow {
  const due = useRef<'focus' | 'click' | null>(null);
  const isShown = useRef(isCurrent);
  const look = useCallback(() => {
    if (due.current === null || !isShown.current) return;
    const row = list.current?.querySelector<HTMLElement>('.row');
    if (!row) return;
    const what = due.current;
    due.current = null;
    row[what]();
  }, [list]);
  // Not while rendering: what is rendered for a search may not be on the page yet.
  useLayoutEffect(() => {
    isShown.current = isCurrent;
    look();
  });
  const will = useCallback(
    (what: 'focus' | 'click') => {
      due.current = what;
      look();
    },
    [look],
  );
  const forget = useCallback(() => {
    due.current = null;
  }, []);
  return { will, forget, look };
}

function SearchField(props: {
  value: string;
  onChange: (value: string) => void;
  onEnter: () => void;
  onDown: () => void;
  onLeave: () => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      const field = input.current;
      // On a phone the list is hidden behind the conversation.
      if (field?.offsetParent === null) flushSync(() => navigate({ name: 'home' }));
      // At once: the next key that is pressed belongs there.
      field?.focus();
      field?.select();
    };
    window.addEventListener('keydown', focus);
    return () => window.removeEventListener('keydown', focus);
  }, []);
  const keys = (event: React.KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const act = { Escape: () => props.onChange(''), Enter: props.onEnter, ArrowDown: props.onDown }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <div className="sidebar-search" role="search">
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        className="input"
        placeholder="Search chats and people"
        aria-label="Search chats and people"
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
        onKeyDown={keys}
        onBlur={props.onLeave}
      />
      {props.value !== '' && <IconButton icon="close" label="Clear search" onClick={() => props.onChange('')} />}
    </div>
  );
}

interface ListProps {
  readonly conversations: readonly Conversation[];
  readonly openId: string | null;
}

function AllConversations({ conversations, openId, onNewChat }: ListProps & { onNewChat: () => void }) {
  const [isArchiveOpen, setArchiveOpen] = useState(false);
  const { status } = useConnection();
  const shown = conversations.filter(({ settings }) => !settings.archived);
  const archived = conversations.filter(({ settings }) => settings.archived);
  if (conversations.length === 0 && status !== 'connected') return <Skeletons />;
  return (
    <>
      {shown.length === 0 && (
        <p className="sidebar-nothing">
          No conversations yet.
          <br />
          <button type="button" className="button" onClick={onNewChat}>
            Start one
          </button>
        </p>
      )}
      <Rows conversations={shown} openId={openId} />
      {archived.length > 0 && (
        <button
          type="button"
          className="row sidebar-caption"
          aria-expanded={isArchiveOpen}
          onClick={() => setArchiveOpen(!isArchiveOpen)}
        >
          <Icon name="archive" small />
          <span>Archived ({archived.length})</span>
        </button>
      )}
      {isArchiveOpen && <Rows conversations={archived} openId={openId} />}
    </>
  );
}

function Rows({ conversations, openId }: ListProps) {
  return (
    <ul>
      {conversations.map((conversation, index) => (
        <li key={conversation.conversationId}>
          <ConversationRow
            conversation={conversation}
            isOpen={conversation.conversationId === openId}
            showsPresence={index < PRESENCE_ROWS_MAX}
          />
        </li>
      ))}
    </ul>
  );
}

function Skeletons() {
  return (
    <div aria-hidden="true">
      {[1, 2, 3, 4, 5].map((row) => (
        <div key={row} className="row-skeleton">
          <div className="skeleton" />
          <div className="skeleton" />
        </div>
      ))}
    </div>
  );
}

interface FoundProps extends ListProps {
  readonly wanted: string;
  /** After each time that rows may have come. */
  readonly onShown: () => void;
  readonly onDone: () => void;
}

function Found({ wanted, conversations, openId, onShown, onDone }: FoundProps) {
  const { client } = useSignedIn();
  const { attempt } = useNotices();
  const words = wanted.toLocaleLowerCase();
  const chats = useMemo(
    () => conversations.filter((each) => conversationTitle(each, client.userId).toLocaleLowerCase().includes(words)),
    [conversations, words, client],
  );
  const known = new Set(chats.map((each) => otherMember(each, client.userId)?.userId));
  const { people, isSearching, hasFailed } = usePeopleSearch(wanted);
  const others = people.filter(({ userId }) => !known.has(userId) && userId !== client.userId);
  useLayoutEffect(onShown);
  const open = (user: User): void =>
    void attempt(async () => {
      const { id } = await client.direct(user.userId);
      navigate({ name: 'conversation', conversationId: id });
      onDone();
    });
  return (
    <>
      {chats.length > 0 && <h2 className="sidebar-caption">Conversations</h2>}
      <Rows conversations={chats} openId={openId} />
      {others.length > 0 && <h2 className="sidebar-caption">People</h2>}
      <ul>
        {others.map((user) => (
          <li key={user.userId}>
            <button type="button" className="row" onClick={() => open(user)}>
              <Avatar id={user.userId} name={user.displayName} url={user.avatarUrl} />
              <span className="row-lines">
                <span className="row-title">{user.displayName}</span>
                <span className="row-preview">@{user.username}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {(hasFailed || chats.length + others.length === 0) && (
        <p className="sidebar-nothing" role="status">
          {isSearching ? 'Searching…' : hasFailed ? SEARCH_FAILED : `Nothing found for “${wanted}”.`}
        </p>
      )}
    </>
  );
}
