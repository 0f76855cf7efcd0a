import { type Conversation, LIMITS, type ParleyConversation } from '@parley/sdk';
import { useState } from 'react';
import { isMuted, otherMember, useConversationTitle } from '../conversations/conversation-title.js';
import { Confirm } from '../design/dialog.jsx';
import { Icon, IconButton } from '../design/icon.jsx';
import { Menu } from '../design/popover.jsx';
import { Toggle } from '../design/toggle.jsx';
import { useNotices } from '../notices/notices.jsx';
import { ConversationAvatar } from '../people/avatar.jsx';
import { usePerson } from '../people/use-person.js';
import { navigate } from '../routing/use-route.js';
import { useSignedIn } from '../state/signed-in.js';
import { wholeTime } from '../timeline/times.js';
import { BlockAction } from './block-action.jsx';
import { Members } from './members.jsx';
import './details-panel.css';

interface DetailsProps {
  readonly conversation: Conversation;
  readonly handle: ParleyConversation;
  readonly onClose: () => void;
}

/** Who is in a conversation, and what one may do with it. */
export function DetailsPanel({ conversation, handle, onClose }: DetailsProps) {
  const { client } = useSignedIn();
  const other = otherMember(conversation, client.userId);
  const isGroup = conversation.type === 'group';
  return (
    <aside
      className="details"
      aria-label="About this conversation"
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <header className="details-head">
        <h2>{isGroup ? 'Group' : 'Contact'}</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </header>
      <div className="details-body">
        <div className="details-who">
          <ConversationAvatar conversation={conversation} size="large" />
          {isGroup ? (
            <GroupName conversation={conversation} handle={handle} />
          ) : (
            <ContactLines userId={other?.userId ?? ''} conversation={conversation} />
          )}
        </div>
        {!handle.isRemoved && <OwnView conversation={conversation} handle={handle} />}
        {isGroup && !handle.isRemoved && <Members conversation={conversation} handle={handle} />}
        {!handle.isRemoved && (
          <section className="details-section">
            {isGroup && <LeaveAction handle={handle} />}
            {other && <BlockAction userId={other.userId} name={other.displayName} />}
          </section>
        )}
      </div>
    </aside>
  );
}

function ContactLines({ userId, conversation }: { userId: string; conversation: Conversation }) {
  const person = usePerson(userId);
  const title = useConversationTitle(conversation);
  return (
    <>
      <h3>{title}</h3>
      {person && <p className="hint">@{person.username}</p>}
      {person?.statusText && <p>{person.statusText}</p>}
    </>
  );
}

function GroupName({ conversation, handle }: { conversation: Conversation; handle: ParleyConversation }) {
  const { attempt } = useNotices();
  const title = useConversationTitle(conversation);
  const [name, setName] = useState<string | null>(null);
  const save = async (event: React.FormEvent): Promise<void> => {
    event.preventDefault();
    const wanted = (name ?? '').trim();
    if (wanted === '' || wanted === conversation.name) return setName(null);
    if (await attempt(() => handle.rename(wanted))) setName(null);
  };
  if (name !== null) {
    return (
      <form className="rename" onSubmit={(event) => void save(event)}>
        <input
          className="input"
          aria-label="Name of the group"
          value={name}
          maxLength={LIMITS.conversationNameCharacters}
          autoFocus
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.stopPropagation();
            setName(null);
          }}
        />
        <button type="submit" className="button button-primary">
          Save
        </button>
      </form>
    );
  }
  return (
    <>
      <h3>{title}</h3>
      <p className="hint">{conversation.memberCount === 1 ? '1 member' : `${conversation.memberCount} members`}</p>
      {conversation.role === 'admin' && !handle.isRemoved && (
        <button type="button" className="button" onClick={() => setName(conversation.name ?? '')}>
          <Icon name="pen" small />
          Rename
        </button>
      )}
    </>
  );
}

const HOUR_MS = 3_600_000;
/** As good as for ever, and still a year that every calendar can write. */
const FOR_EVER = '9999-01-01T00:00:00.000Z';

/** Muted, pinned, archived: only the user sees these. */
function OwnView({ conversation, handle }: { conversation: Conversation; handle: ParleyConversation }) {
  const { attempt } = useNotices();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const { settings } = conversation;
  const muted = isMuted(conversation);
  const change = (wanted: Parameters<ParleyConversation['changeSettings']>[0]): void =>
    void attempt(() => handle.changeSettings(wanted));
  const muteFor = (hours: number) => () => change({ mutedUntil: new Date(Date.now() + hours * HOUR_MS).toISOString() });
  const until = settings.mutedUntil !== null && settings.mutedUntil < FOR_EVER ? wholeTime(settings.mutedUntil) : '';
  return (
    <section className="details-section" aria-label="Your view">
      <Toggle
        icon={muted ? 'mute' : 'bell'}
        label={muted ? `Muted${until && ` until ${until}`}` : 'Mute'}
        isOn={muted}
        onChange={(isOn, control) => {
          if (!isOn) return change({ mutedUntil: null });
          setAnchor(control);
        }}
      />
      {anchor && (
        <Menu
          anchor={anchor}
          label="Mute"
          onClose={() => setAnchor(null)}
          entries={[
            { icon: 'clock', label: 'For an hour', onSelect: muteFor(1) },
            { icon: 'clock', label: 'For 8 hours', onSelect: muteFor(8) },
            { icon: 'mute', label: 'Until I turn it on', onSelect: () => change({ mutedUntil: FOR_EVER }) },
          ]}
        />
      )}
      <Toggle icon="pin" label="Pinned" isOn={settings.pinned} onChange={(pinned) => change({ pinned })} />
      <Toggle icon="archive" label="Archived" isOn={settings.archived} onChange={(archived) => change({ archived })} />
    </section>
  );
}

function LeaveAction({ handle }: { handle: ParleyConversation }) {
  const { attempt } = useNotices();
  const [isAsking, setAsking] = useState(false);
  const leave = (): void =>
    void attempt(async () => {
      await handle.leave();
      navigate({ name: 'home' });
    });
  return (
    <>
      <button type="button" className="details-action details-action-danger" onClick={() => setAsking(true)}>
        <Icon name="logout" />
        <span>Leave group</span>
      </button>
      {isAsking && (
        <Confirm
          title="Leave this group?"
          text="You will not get its messages any more, and cannot read it."
          action="Leave"
          onConfirm={leave}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
