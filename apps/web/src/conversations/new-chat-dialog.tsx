import { LIMITS, type User } from '@parley/sdk';
import { useState } from 'react';
import { Dialog } from '../design/dialog.jsx';
import { useNotices } from '../notices/notices.jsx';
import { PeoplePicker } from '../people/people-picker.jsx';
import { navigate } from '../routing/use-route.js';
import { useSignedIn } from '../state/signed-in.js';

/** One person makes a direct chat, several a group; a name makes a group of any number. */
export function NewChatDialog({ onClose }: { onClose: () => void }) {
  const { client } = useSignedIn();
  const { attempt } = useNotices();
  const [chosen, setChosen] = useState<readonly User[]>([]);
  const [isGroup, setGroup] = useState(false);
  const [name, setName] = useState('');
  const [isBusy, setBusy] = useState(false);
  const makesGroup = isGroup || chosen.length > 1;
  const start = async (): Promise<void> => {
    setBusy(true);
    const isMade = await attempt(async () => {
      const ids = chosen.map(({ userId }) => userId);
      const [first = ''] = ids;
      const { id } = makesGroup
        ? await client.createGroup(name.trim() === '' ? null : name.trim(), ids)
        : await client.direct(first);
      navigate({ name: 'conversation', conversationId: id });
    });
    setBusy(false);
    if (isMade) onClose();
  };
  return (
    <Dialog title="New chat" onClose={onClose}>
      <PeoplePicker chosen={chosen} onChange={setChosen} />
      {chosen.length < 2 && (
        <label className="person">
          <span className="person-lines">
            <span>Make it a group</span>
            <span className="hint">A group has a name, and more people can join.</span>
          </span>
          <input type="checkbox" checked={isGroup} onChange={(event) => setGroup(event.target.checked)} />
        </label>
      )}
      {makesGroup && (
        <div className="field">
          <label htmlFor="group-name">Name of the group (optional)</label>
          <input
            id="group-name"
            className="input"
            value={name}
            maxLength={LIMITS.conversationNameCharacters}
            onChange={(event) => setName(event.target.value)}
          />
        </div>
      )}
      <div className="dialog-actions">
        <button
          type="button"
          className="button button-primary"
          disabled={isBusy || chosen.length === 0}
          onClick={() => void start()}
        >
          {makesGroup ? 'Create group' : 'Start chat'}
        </button>
      </div>
    </Dialog>
  );
}
