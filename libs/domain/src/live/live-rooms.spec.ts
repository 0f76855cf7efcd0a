import { describe, expect, it } from 'vitest';
import type { LiveEvent } from './live-event.js';
import { EVERYBODY, roomsOf } from './live-rooms.js';

const place = { conversationId: 'c', membershipEpoch: 1 };

describe('the rooms of an event', () => {
  it('are that of its conversation alone, for what its members follow anyway', () => {
    const events: LiveEvent[] = [
      { type: 'typing', ...place, userId: 'a', isTyping: true, originConnectionId: null },
      { type: 'conversation-renamed', ...place, rev: 2, name: 'New' },
      { type: 'marks-advanced', ...place, memberCount: 2, marks: [] },
    ];
    expect(events.map(roomsOf)).toEqual([['conversation:c'], ['conversation:c'], ['conversation:c']]);
  });

  it('are those of the users too who begin or cease to belong to it', () => {
    expect(roomsOf({ type: 'conversation-created', ...place, memberIds: ['a', 'b'] })).toEqual([
      'conversation:c',
      'user:a',
      'user:b',
    ]);
    const change = { type: 'members-changed', ...place, rev: 2, roles: {} } as const;
    expect(roomsOf({ ...change, added: ['a'], removed: ['b'] })).toEqual(['conversation:c', 'user:a', 'user:b']);
    expect(roomsOf({ ...change, added: [], removed: [], roles: { c: 'admin' } })).toEqual(['conversation:c']);
  });

  it('are that of the sender for the end of a send, and of everybody for conversations that moved and for blocks', () => {
    const outcome = { status: 'rejected', code: 'forbidden', detail: '' } as const;
    expect(roomsOf({ type: 'send-settled', userId: 'a', conversationId: 'c', clientMsgId: '1', outcome })).toEqual([
      'user:a',
    ]);
    expect(roomsOf({ type: 'conversations-moved', heads: [] })).toEqual([EVERYBODY]);
    expect(roomsOf({ type: 'blocks-changed', blockerId: 'a', blockedId: 'b' })).toEqual([EVERYBODY]);
  });

  it('are those of who looks at a user, and of the user too when it looks away itself', () => {
    expect(roomsOf({ type: 'presence-changed', userId: 'a' })).toEqual(['presence:a']);
    expect(roomsOf({ type: 'presence-hidden', userId: 'a', hidden: true })).toEqual(['presence:a', 'user:a']);
  });
});
