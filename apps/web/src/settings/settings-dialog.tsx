import { useState } from 'react';
import { Confirm, Dialog } from '../design/dialog.jsx';
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
  return (
    <Dialog title="Profile and settings" onClose={onClose}>
      <Profile />
      <Appearance />
      <Blocked />
      <div className="settings-section">
        <LogOut />
        <nav className="settings-links" aria-label="About this server">
          <a href="/docs">REST API</a>
          <a href="/asyncapi">Socket events</a>
          <a href="/developers">For developers</a>
        </nav>
      </div>
    </Dialog>
  );
}

/** Takes everything of the account out of this browser: not without asking where something in it is nowhere else. */
function LogOut() {
  const { client, logOut } = useSignedIn();
  const [unsent, setUnsent] = useState(0);
  const leave = (): void => (client.unsentCount > 0 ? setUnsent(client.unsentCount) : logOut());
  return (
    <>
      <button type="button" className="details-action details-action-danger" onClick={leave}>
        <Icon name="logout" />
        <span>Log out</span>
      </button>
      {unsent > 0 && (
        <Confirm
          title="Log out with unsent messages?"
          text={
            unsent === 1
              ? 'A message was not sent yet. It is lost when you log out.'
              : `${unsent} messages were not sent yet. They are lost when you log out.`
          }
          action="Log out all the same"
          onConfirm={logOut}
          onClose={() => setUnsent(0)}
        />
      )}
    </>
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
