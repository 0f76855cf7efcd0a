import type { Conversation, Member, ParleyConversation, User } from '@parley/sdk';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Confirm, Dialog } from '../design/dialog.jsx';
import { Icon, IconButton } from '../design/icon.jsx';
import { Menu, type MenuEntry } from '../design/popover.jsx';
import { useNotices } from '../notices/notices.jsx';
import { PersonAvatar } from '../people/avatar.jsx';
import { usePresence } from '../people/presence.jsx';
import { PeoplePicker } from '../people/people-picker.jsx';
import { navigate } from '../routing/use-route.js';
import { useSignedIn } from '../state/signed-in.js';

interface MembersProps {
  readonly conversation: Conversation;
  readonly handle: ParleyConversation;
}

/** More of them are not followed: a client may follow 500 users in all. */
const PRESENCE_MEMBERS_MAX = 100;

/** The members of a group, page by page; read anew when they change. */
export function Members({ conversation, handle }: MembersProps) {
  const { attempt } = useNotices();
  const { client, people } = useSignedIn();
  const [members, setMembers] = useState<readonly Member[]>(conversation.members);
  const [nextCursor, setNextCursor] = useState<string | null>(null);
  const [isAdding, setAdding] = useState(false);
  const load = useCallback(
    async (cursor?: string) => {
      const page = await handle.members(cursor);
      people.noteNames(page.items);
      setMembers((now) => (cursor === undefined ? page.items : [...now, ...page.items]));
      setNextCursor(page.nextCursor);
    },
    [handle, people],
  );
  const change = useRosterChange(conversation);
  useEffect(() => void load().catch(() => undefined), [load, change, conversation.memberCount]);
  return (
    <section className="details-section" aria-label="Members">
      <h3 className="details-caption">
        {conversation.memberCount} {conversation.memberCount === 1 ? 'member' : 'members'}
        {conversation.role === 'admin' && (
          <IconButton icon="addUser" label="Add people" onClick={() => setAdding(true)} />
        )}
      </h3>
      <ul>
        {inOrder(members, client.userId).map((member, index) => (
          <MemberLine
            key={member.userId}
            member={member}
            showsPresence={index < PRESENCE_MEMBERS_MAX}
            conversation={conversation}
            handle={handle}
          />
        ))}
      </ul>
      {nextCursor !== null && (
        <button type="button" className="button" onClick={() => void attempt(() => load(nextCursor))}>
          Show more
        </button>
      )}
      {isAdding && <AddDialog members={members} handle={handle} onClose={() => setAdding(false)} />}
    </section>
  );
}

/**
 * Counts up when somebody may have come, gone or got another role, also beyond the first members, which a conversation
 * carries: after each such change all of these are new objects, where a message or a read mark makes one of them anew.
 */
function useRosterChange({ members }: Conversation): number {
  const last = useRef({ members, count: 0 });
  const { members: before, count } = last.current;
  if (members !== before) {
    const isAllNew = !members.some((member) => before.includes(member));
    last.current = { members, count: isAllNew ? count + 1 : count };
  }
  return last.current.count;
}

/** Oneself first, then admins, then the others, each by name. */
function inOrder(members: readonly Member[], selfId: string): readonly Member[] {
  const rank = ({ userId, role }: Member): number => (userId === selfId ? 0 : role === 'admin' ? 1 : 2);
  return members.toSorted((a, b) => rank(a) - rank(b) || a.displayName.localeCompare(b.displayName));
}

function MemberLine(props: { member: Member; showsPresence: boolean } & MembersProps) {
  const { member, showsPresence, conversation, handle } = props;
  const { client } = useSignedIn();
  const { attempt } = useNotices();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [isRemoving, setRemoving] = useState(false);
  const { userId, displayName, role } = member;
  const isSelf = userId === client.userId;
  const presence = usePresence(showsPresence ? userId : null);
  const write = (): void =>
    void attempt(async () => {
      const { id } = await client.direct(userId);
      navigate({ name: 'conversation', conversationId: id });
    });
  const setRole = (wanted: 'admin' | 'member') => () => void attempt(() => handle.setRole(userId, wanted));
  const entries: MenuEntry[] = isSelf ? [] : [{ icon: 'chat', label: 'Write to them', onSelect: write }];
  if (conversation.role === 'admin') {
    if (role === 'member') entries.push({ icon: 'shield', label: 'Make admin', onSelect: setRole('admin') });
    else entries.push({ icon: 'shield', label: 'Make member', onSelect: setRole('member') });
    if (!isSelf) {
      entries.push({ icon: 'trash', label: 'Remove', danger: true, onSelect: () => setRemoving(true) });
    }
  }
  return (
    <li className="member">
      <PersonAvatar userId={userId} name={displayName} size="small" presence={presence} />
      <span className="person-lines">
        <span>{isSelf ? 'You' : displayName}</span>
        {presence?.status === 'online' && !isSelf && <span className="visually-hidden">online</span>}
      </span>
      {role === 'admin' && <span className="tag">Admin</span>}
      {entries.length > 0 && (
        <IconButton
          icon="more"
          label={`More about ${displayName}`}
          aria-haspopup="menu"
          aria-expanded={anchor !== null}
          onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
        />
      )}
      {anchor && <Menu anchor={anchor} label={displayName} entries={entries} onClose={() => setAnchor(null)} />}
      {isRemoving && (
        <Confirm
          title={`Remove ${displayName}?`}
          text="They get no more messages of this group and cannot read it any more."
          action="Remove"
          onConfirm={() => void attempt(() => handle.removeMembers(userId))}
          onClose={() => setRemoving(false)}
        />
      )}
    </li>
  );
}

function AddDialog(props: { members: readonly Member[]; handle: ParleyConversation; onClose: () => void }) {
  const { attempt } = useNotices();
  const [chosen, setChosen] = useState<readonly User[]>([]);
  const without = new Set(props.members.map(({ userId }) => userId));
  const add = async (): Promise<void> => {
    if (await attempt(() => props.handle.addMembers(...chosen.map(({ userId }) => userId)))) props.onClose();
  };
  return (
    <Dialog title="Add people" onClose={props.onClose}>
      <PeoplePicker chosen={chosen} onChange={setChosen} without={without} />
      <div className="dialog-actions">
        <button
          type="button"
          className="button button-primary"
          disabled={chosen.length === 0}
          onClick={() => void add()}
        >
          <Icon name="addUser" />
          Add
        </button>
      </div>
    </Dialog>
  );
}
