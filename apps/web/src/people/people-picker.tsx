import type { User } from '@parley/sdk';
import { useState } from 'react';
import { Icon } from '../design/icon.jsx';
import { useSignedIn } from '../state/signed-in.js';
import { Avatar } from './avatar.jsx';
import { SEARCH_FAILED, usePeopleSearch } from './use-people-search.js';
import '../conversations/new-chat-dialog.css';

interface PickerProps {
  readonly chosen: readonly User[];
  readonly onChange: (chosen: readonly User[]) => void;
  /** Who is not offered: members already. */
  readonly without?: ReadonlySet<string>;
}

/** Finds people by name and keeps a choice of them. */
export function PeoplePicker({ chosen, onChange, without }: PickerProps) {
  const { client } = useSignedIn();
  const [search, setSearch] = useState('');
  const wanted = search.trim();
  const { people, isSearching, hasFailed } = usePeopleSearch(wanted);
  const offered = people.filter(({ userId }) => userId !== client.userId && !without?.has(userId));
  const isChosen = (user: User): boolean => chosen.some(({ userId }) => userId === user.userId);
  const toggle = (user: User): void => {
    onChange(isChosen(user) ? chosen.filter(({ userId }) => userId !== user.userId) : [...chosen, user]);
  };
  return (
    <>
      {chosen.length > 0 && (
        <ul className="chips" aria-label="Chosen people">
          {chosen.map((user) => (
            <li key={user.userId}>
              <button
                type="button"
                className="chip"
                aria-label={`Remove ${user.displayName}`}
                onClick={() => toggle(user)}
              >
                {user.displayName}
                <Icon name="close" small />
              </button>
            </li>
          ))}
        </ul>
      )}
      <input
        type="search"
        className="input"
        placeholder="Search people by name"
        aria-label="Search people by name"
        data-autofocus
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <div className="people-list">
        {offered.map((user) => (
          <label key={user.userId} className="person">
            <Avatar id={user.userId} name={user.displayName} url={user.avatarUrl} />
            <span className="person-lines">
              <span>{user.displayName}</span>
              <span className="hint">@{user.username}</span>
            </span>
            <input type="checkbox" checked={isChosen(user)} onChange={() => toggle(user)} />
          </label>
        ))}
        {offered.length === 0 && (
          <p className="sidebar-nothing" role="status">
            {wanted === ''
              ? 'Type the beginning of a name or a user name.'
              : isSearching
                ? 'Searching…'
                : hasFailed
                  ? SEARCH_FAILED
                  : `Nobody found for “${wanted}”.`}
          </p>
        )}
      </div>
    </>
  );
}
