import type { LiveEvent } from './live-event.js';

/** Where an event is published, and what a process follows to get it. */
export type Room = string;

/** Every process is in it, without following. */
export const EVERYBODY: Room = 'everybody';

export const conversationRoom = (conversationId: string): Room => `conversation:${conversationId}`;
export const userRoom = (userId: string): Room => `user:${userId}`;
/** Followed by those who show the user to somebody. */
export const presenceRoom = (userId: string): Room => `presence:${userId}`;

/**
 * The rooms that an event goes to: that of its conversation first, by which it keeps its order with all else that happens
 * there, and those of the users who hear of the conversation for the first or the last time, and cannot follow it.
 */
export function roomsOf(event: LiveEvent): readonly Room[] {
  switch (event.type) {
    case 'message-sent':
    case 'message-changed':
    case 'conversation-renamed':
    case 'marks-advanced':
    case 'typing':
      return [conversationRoom(event.conversationId)];
    case 'conversation-created':
      return [conversationRoom(event.conversationId), ...event.memberIds.map(userRoom)];
    case 'members-changed':
      return [conversationRoom(event.conversationId), ...[...event.added, ...event.removed].map(userRoom)];
    case 'send-settled':
      return [userRoom(event.userId)];
    case 'presence-changed':
      return [presenceRoom(event.userId)];
    // To those who see the user, and to where the user looks at others.
    case 'presence-hidden':
      return [presenceRoom(event.userId), userRoom(event.userId)];
    case 'conversations-moved':
    // Rare, and whoever lets the blocked person in may be anywhere.
    case 'blocks-changed':
      return [EVERYBODY];
  }
}
