import type { ConversationState, MemberState, PriorSend } from './conversation.state.js';
import { type Decision, refused } from './decision.js';

/** A repeated clientMsgId gives the first one's answer for this long, by record time. */
export const DEDUPLICATION_MS = 30 * 24 * 60 * 60 * 1000;

/** Somebody else's conversation answers exactly like one that does not exist. */
export const NOT_FOUND: Decision = refused('not_found', 'No such conversation');

export function memberOf(state: ConversationState, userId: string): MemberState | undefined {
  return state.members.get(userId);
}

export function isExpired(prior: PriorSend, at: number): boolean {
  return at - prior.at >= DEDUPLICATION_MS;
}
