import type { Conversation, Presence } from '@parley/sdk';
import { useRef, useState } from 'react';
import { otherMember, useConversationTitle } from '../conversations/conversation-title.js';
import { useSignedIn } from '../state/signed-in.js';
import { hueOf, initialsOf } from './hue.js';
import { PresenceDot } from './presence.jsx';
import { useWasSeen } from './use-was-seen.js';
import { usePerson } from './use-person.js';
import './avatar.css';

type Size = 'small' | 'medium' | 'large';

export interface AvatarProps {
  readonly ref?: React.Ref<HTMLSpanElement>;
  readonly id: string;
  readonly name: string;
  readonly url?: string | null | undefined;
  readonly size?: Size;
  readonly isGroup?: boolean;
  readonly presence?: Presence | null;
}

/** A picture, or initials on a colour of their own. The name stands beside it, so it is not said again. */
export function Avatar({ ref, id, name, url, size = 'medium', isGroup = false, presence = null }: AvatarProps) {
  const [isBroken, setBroken] = useState(false);
  const shape = `avatar avatar-${size} ${isGroup ? 'avatar-group' : ''} hue-${hueOf(id)}`;
  const shown = isBroken ? null : url;
  return (
    // Letters that are drawn, not text: they belong to no name that is read out.
    <span ref={ref} className={shape} aria-hidden="true" data-initials={shown ? undefined : initialsOf(name)}>
      {shown && <img src={shown} alt="" loading="lazy" onError={() => setBroken(true)} />}
      <PresenceDot presence={presence} />
    </span>
  );
}

interface PersonAvatarProps {
  readonly userId: string;
  readonly name: string;
  readonly size?: Size;
  readonly presence?: Presence | null;
}

/** Asks for somebody's picture once it comes into sight: a list of members may be long. */
export function PersonAvatar({ userId, name, size = 'medium', presence = null }: PersonAvatarProps) {
  const place = useRef<HTMLSpanElement>(null);
  const person = usePerson(userId, useWasSeen(place));
  return (
    <Avatar
      ref={place}
      key={person?.avatarUrl}
      id={userId}
      name={name}
      url={person?.avatarUrl}
      size={size}
      presence={presence}
    />
  );
}

interface ConversationAvatarProps {
  readonly conversation: Conversation;
  readonly size?: Size;
  /** Of the other one in a direct chat. */
  readonly presence?: Presence | null;
}

export function ConversationAvatar({ conversation, size = 'medium', presence = null }: ConversationAvatarProps) {
  const { client } = useSignedIn();
  const title = useConversationTitle(conversation);
  const other = otherMember(conversation, client.userId);
  if (other) return <PersonAvatar userId={other.userId} name={title} size={size} presence={presence} />;
  return <Avatar id={conversation.conversationId} name={title} isGroup size={size} />;
}
