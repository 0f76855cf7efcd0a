import { useState } from 'react';
import { Dialog } from '../design/dialog.jsx';
import { Icon } from '../design/icon.jsx';
import { chooseTheme, chosenTheme, type Theme } from '../design/theme.js';
import { Avatar } from '../people/avatar.jsx';
import { useBlocks } from '../people/use-blocks.js';
import { useSignedIn } from '../state/signed-in.js';
import { Notifications } from './notifications.jsx';
import { Profile } from './profile.jsx';
import '../details/details-panel.css';
import './settings.css';

/** The user's own profile, how it looks here, and the way out. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const { logOut } = useSignedIn();
  return (
    <Dialog title="Profile and settings" onClose={onClose}>
      <Profile />
      <Appearance />
      <Blocked />
      <div className="settings-section">
        <button type="button" className="details-action details-action-danger" onClick={logOut}>
          <Icon name="logout" />
          <span>Log out</span>
        </button>
        <nav className="settings-links" aria-label="About this server">
          <a href="/docs">REST API</a>
          <a href="/asyncapi">Socket events</a>
          <a href="/developers">For developers</a>
        </nav>
      </div>
    </Dialog>
  );
}

const THEMES: readonly (readonly [theme: Theme, label: string])[] = [
  ['system', 'System'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

function Appearance() {
  const [theme, setTheme] = useState(chosenTheme);
  return (
    <div className="settings-section">
      <fieldset className="choices" aria-label="Appearance">
        {THEMES.map(([value, label]) => (
          <label key={value} className="choice">
            <input
              type="radio"
              name="theme"
              checked={theme === value}
              onChange={() => {
                setTheme(value);
                chooseTheme(value);
              }}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <Notifications />
    </div>
  );
}

function Blocked() {
  const { blocked, unblock } = useBlocks();
  if (blocked.length === 0) return null;
  return (
    <section className="settings-section" aria-label="Blocked people">
      <h3 className="field-label">Blocked people</h3>
      <ul>
        {blocked.map((user) => (
          <li key={user.userId} className="person">
            <Avatar id={user.userId} name={user.displayName} url={user.avatarUrl} size="small" />
            <span className="person-lines">
              <span>{user.displayName}</span>
            </span>
            <button type="button" className="button" onClick={() => void unblock(user.userId)}>
              Unblock
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
