import type { Conversation, Member } from '@parley/sdk';
import { useSignedIn } from '../state/signed-in.js';

/** The other one of a direct chat; undefined in a group. */
export function otherMember({ type, members }: Conversation, selfId: string): Member | undefined {
  return type === 'direct' ? (members.find(({ userId }) => userId !== selfId) ?? members[0]) : undefined;
}

/** A group's name or, without one, its members; for a direct chat the other one's name. */
export function conversationTitle(conversation: Conversation, selfId: string): string {
  const other = otherMember(conversation, selfId);
  if (other) return other.displayName;
  if (conversation.name) return conversation.name;
  const others = conversation.members.filter(({ userId }) => userId !== selfId);
  return others.map(({ displayName }) => displayName).join(', ') || 'Only you';
}

export function useConversationTitle(conversation: Conversation): string {
  const { client } = useSignedIn();
  return conversationTitle(conversation, client.userId);
}

/** Until further notice, or until a time that has not come. */
export function isMuted({ settings }: Conversation): boolean {
  return settings.mutedUntil !== null && Date.parse(settings.mutedUntil) > Date.now();
}
