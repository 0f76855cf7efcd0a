import type { ConversationState, DecidedBatch, MemberState, MemberView } from '@parley/domain';
import { describe, expect, it } from 'vitest';
import { MemberViews } from './member-views.js';

const view = (lastSeq: number, readSeq = 0): MemberView => ({
  visibleFromSeq: 1,
  lastSeq,
  lastRev: lastSeq + 1,
  readSeq,
  readMessageId: null,
});

function commit(
  conversationId: string,
  lastSeq: number,
  userId: string,
  readSeq: number,
  removedAt: number | null = null,
) {
  const state = { conversationId, lastSeq, lastRev: lastSeq + 1 } as ConversationState;
  const member = { userId, visibleFromSeq: 1, readSeq, readMessageId: null } as MemberState;
  const checkpoint = { conversations: [state], members: [{ conversationId, member, removedAt }] };
  return { checkpoint } as unknown as DecidedBatch;
}

describe('remembered views of members', () => {
  it('follow what is committed', async () => {
    const views = new MemberViews();
    await views.fill('c', 'u', () => Promise.resolve(view(3)));
    views.follow(commit('c', 4, 'u', 4));
    expect(views.get('c', 'u')).toEqual(view(4, 4));
    expect(views.get('c', 'other')).toBeNull();
  });

  it('forget a member that was removed', async () => {
    const views = new MemberViews();
    await views.fill('c', 'u', () => Promise.resolve(view(3)));
    views.follow(commit('c', 3, 'u', 3, Date.now()));
    expect(views.get('c', 'u')).toBeNull();
  });

  it('keep nothing that a commit has overtaken while it was read', async () => {
    const views = new MemberViews();
    const read = views.fill('c', 'u', async () => {
      views.follow(commit('c', 4, 'u', 4));
      return Promise.resolve(view(3));
    });
    expect(await read).toEqual(view(3));
    expect(views.get('c', 'u')).toBeNull();
  });

  it('keep nothing after an uncertain commit', async () => {
    const views = new MemberViews();
    await views.fill('c', 'u', () => Promise.resolve(view(3)));
    views.clear();
    expect(views.get('c', 'u')).toBeNull();
  });

  it('are bounded: the conversation that was read first goes first', async () => {
    const views = new MemberViews(2);
    for (const id of ['a', 'b', 'c']) await views.fill(id, 'u', () => Promise.resolve(view(1)));
    expect([views.get('a', 'u'), views.get('c', 'u')]).toEqual([null, view(1)]);
  });
});
