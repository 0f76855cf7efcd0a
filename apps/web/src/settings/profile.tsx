import { LIMITS, type UpdateMe, type User } from '@parley/sdk';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Toggle } from '../design/toggle.jsx';
import { useNotices } from '../notices/notices.jsx';
import { PersonAvatar } from '../people/avatar.jsx';
import { useSignedIn } from '../state/signed-in.js';

/** What others see of the user: picture, name, status, and whether they are here. */
export function Profile() {
  const { client, people } = useSignedIn();
  const { attempt } = useNotices();
  const [me, setMe] = useState<User | null>(null);
  const take = useCallback(
    (user: User) => {
      setMe(user);
      people.learn(user);
    },
    [people],
  );
  useEffect(() => void attempt(async () => take(await client.me())), [client, attempt, take]);
  const save = (change: UpdateMe): Promise<boolean> => attempt(async () => take(await client.updateMe(change)));
  if (!me) return <div className="skeleton info-skeleton" />;
  return (
    <>
      <Picture me={me} onSave={save} />
      <Words key={me.userId} me={me} onSave={save} />
      <Toggle
        icon="info"
        label="Others see when I am online"
        isOn={me.presenceHidden !== true}
        onChange={(isShown) => void save({ presenceHidden: !isShown })}
      />
    </>
  );
}

interface PartProps {
  readonly me: User;
  /** @returns whether the server took it; what it refused was shown */
  readonly onSave: (change: UpdateMe) => Promise<boolean>;
}

function Picture({ me, onSave }: PartProps) {
  const { client } = useSignedIn();
  const { attempt } = useNotices();
  const input = useRef<HTMLInputElement>(null);
  const [isBusy, setBusy] = useState(false);
  const upload = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setBusy(true);
    await attempt(async () => onSave({ avatarMediaId: (await client.media.upload(file)).mediaId }));
    setBusy(false);
  };
  return (
    <div className="settings-me">
      <PersonAvatar userId={me.userId} name={me.displayName} size="large" />
      <div className="settings-picture">
        <strong>{me.displayName}</strong>
        <p className="hint">@{me.username}</p>
        <div className="settings-picture-actions">
          <button type="button" className="button" disabled={isBusy} onClick={() => input.current?.click()}>
            {isBusy ? 'Uploading…' : 'Change picture'}
          </button>
          {me.avatarUrl !== null && (
            <button type="button" className="button" onClick={() => void onSave({ avatarMediaId: null })}>
              Remove
            </button>
          )}
        </div>
      </div>
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        aria-label="Your picture"
        onChange={(event) => {
          void upload(event.target.files?.[0]);
          event.target.value = '';
        }}
      />
    </div>
  );
}

function Words({ me, onSave }: PartProps) {
  const { show } = useNotices();
  const [displayName, setDisplayName] = useState(me.displayName);
  const [statusText, setStatusText] = useState(me.statusText ?? '');
  const wanted = { displayName: displayName.trim(), statusText: statusText.trim() === '' ? null : statusText.trim() };
  const isChanged = wanted.displayName !== me.displayName || wanted.statusText !== me.statusText;
  const save = async (event: React.FormEvent): Promise<void> => {
    event.preventDefault();
    if (await onSave(wanted)) show('Saved.');
  };
  return (
    <form className="field" onSubmit={(event) => void save(event)}>
      <label htmlFor="my-name">Name</label>
      <input
        id="my-name"
        className="input"
        value={displayName}
        maxLength={LIMITS.displayNameCharacters}
        onChange={(event) => setDisplayName(event.target.value)}
      />
      <label htmlFor="my-status">Status</label>
      <input
        id="my-status"
        className="input"
        placeholder="What are you up to?"
        value={statusText}
        maxLength={LIMITS.statusTextCharacters}
        onChange={(event) => setStatusText(event.target.value)}
      />
      {isChanged && (
        <div className="dialog-actions">
          <button type="submit" className="button button-primary" disabled={wanted.displayName === ''}>
            Save
          </button>
        </div>
      )}
    </form>
  );
}
