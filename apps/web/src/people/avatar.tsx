import type { Conversation } from '@parley/sdk';
import { otherMember, useConversationTitle } from '../conversations/conversation-title.js';
import { useSignedIn } from '../state/signed-in.js';
import { hueOf, initialsOf } from './hue.js';
import { usePerson } from './use-person.js';
import './avatar.css';

type Size = 'small' | 'medium' | 'large';

export interface AvatarProps {
  readonly id: string;
  readonly name: string;
  readonly url?: string | null | undefined;
  readonly size?: Size;
  readonly isGroup?: boolean;
}

/** A picture, or initials on a colour of their own. The name stands beside it, so it is not said again. */
export function Avatar({ id, name, url, size = 'medium', isGroup = false }: AvatarProps) {
  const shape = `avatar avatar-${size} ${isGroup ? 'avatar-group' : ''} hue-${hueOf(id)}`;
  return (
    // Letters that are drawn, not text: they belong to no name that is read out.
    <span className={shape} aria-hidden="true" data-initials={url ? undefined : initialsOf(name)}>
      {url && <img src={url} alt="" loading="lazy" />}
    </span>
  );
}

export function PersonAvatar({ userId, name, size }: { userId: string; name: string; size?: Size }) {
  const person = usePerson(userId);
  return <Avatar id={userId} name={name} url={person?.avatarUrl} {...(size && { size })} />;
}

export function ConversationAvatar({ conversation, size }: { conversation: Conversation; size?: Size }) {
  const { client } = useSignedIn();
  const title = useConversationTitle(conversation);
  const other = otherMember(conversation, client.userId);
  if (other) return <PersonAvatar userId={other.userId} name={title} {...(size && { size })} />;
  return <Avatar id={conversation.conversationId} name={title} isGroup {...(size && { size })} />;
}
