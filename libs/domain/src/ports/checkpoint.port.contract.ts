import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evolve } from '../conversation/conversation.evolve.js';
import type { ConversationState, MemberState } from '../conversation/conversation.state.js';
import { group, send, user } from '../conversation/testing/given-conversation.js';
import { DataRefused } from './batch-commit.port.js';
import type { Checkpoint, CheckpointWrite, PartitionAdvance } from './checkpoint.port.js';
import type { PartitionLeases, PartitionProgress } from './partition-leases.port.js';

export interface CheckpointUnderTest {
  checkpoint: Checkpoint;
  leases: PartitionLeases;
  close?: () => Promise<void>;
}

const NOTHING = { conversations: [], members: [], receipts: [], deadLetters: [] };

function advanceOf(progress: PartitionProgress, records: number): PartitionAdvance {
  const nextOffset = progress.nextOffset + records;
  const clock = { ms: Date.UTC(2026, 10, 22), counter: 8191 };
  return { ...progress, expectedOffset: progress.nextOffset, nextOffset, clock, lastRecordHash: `hash ${nextOffset}` };
}

const NEVER_CHANGED = new Set<keyof ConversationState>(['conversationId', 'type', 'createdAt', 'createdBy']);

let conversations = 0;

/** A group that has seen everything that a state can show, under an id of its own. */
function richState(): ConversationState {
  const given = group('a', 'b', 'c');
  given.when(user('b'), send('1', 'first'));
  given.when(user('a'), { type: 'change-settings', mutedUntil: Date.UTC(2030, 0, 1), pinned: true });
  given.when(user('a'), { type: 'change-members', add: [user('d')], remove: [user('c')], roles: {}, membersMax: 9 });
  given.when(user('a'), {
    type: 'change-members',
    add: [],
    remove: [],
    roles: { [user('b')]: 'admin' },
    membersMax: 9,
  });
  given.when(user('a'), { type: 'rename', name: 'Another name' });
  given.when(user('a'), send('2', 'second “quoted” \\ {x}'));
  const state = structuredClone(given.state as ConversationState);
  state.conversationId = `00000000-0000-4000-8002-${String(++conversations).padStart(12, '0')}`;
  return state;
}

function writeOf(state: ConversationState, advance: PartitionAdvance): CheckpointWrite {
  const { conversationId } = state;
  const members = [...state.members.values()].map((member) => ({ conversationId, member, removedAt: null }));
  return { ...NOTHING, partitions: [advance], conversations: [state], members };
}

/** What every checkpoint keeps to. Each test uses partitions of its own. */
export function checkpointContract(name: string, make: () => Promise<CheckpointUnderTest>): void {
  describe(`checkpoint: ${name}`, () => {
    let opened: CheckpointUnderTest;
    beforeAll(async () => {
      opened = await make();
    });
    afterAll(async () => opened.close?.());
    const claim = async (partition: number): Promise<PartitionProgress> =>
      (await opened.leases.claim('contract', [partition], true))[0] as PartitionProgress;

    it('loads the state that was written, so that deciding goes on as if it had never left memory', async () => {
      const progress = advanceOf(await claim(0), 5);
      const state = richState();
      expect(await opened.checkpoint.commit(writeOf(state, progress))).toBe('committed');
      const { fenced, states } = await opened.checkpoint.load([state.conversationId], [progress]);
      expect(fenced).toEqual([]);
      expect(states.get(state.conversationId)).toEqual(state);
    });

    it('replaces every field of a state that was written before', async () => {
      const progress = await claim(9);
      const state = richState();
      const { conversationId } = state;
      const before = { ...(group('a', 'b', 'c').state as ConversationState), conversationId };
      const fields = (Object.keys(state) as (keyof ConversationState)[]).filter((field) => !NEVER_CHANGED.has(field));
      // A field that is new has to get another value in richState(), or nothing here sees it written and loaded.
      expect(fields.filter((field) => isDeepStrictEqual(state[field], before[field]))).toEqual([]);
      await opened.checkpoint.commit(writeOf(before, advanceOf(progress, 1)));
      const second = { ...advanceOf(progress, 2), expectedOffset: progress.nextOffset + 1 };
      const write = writeOf(state, second);
      const left = before.members.get(user('c')) as MemberState;
      const members = [...write.members, { conversationId, member: left, removedAt: state.createdAt + 99 }];
      expect(await opened.checkpoint.commit({ ...write, members })).toBe('committed');
      const { states } = await opened.checkpoint.load([conversationId], []);
      expect(states.get(conversationId)).toEqual(state);
    });

    it('answers null for a conversation that does not exist', async () => {
      const nowhere = '00000000-0000-4000-8002-ffffffffffff';
      const { states } = await opened.checkpoint.load([nowhere], []);
      expect(states).toEqual(new Map([[nowhere, null]]));
    });

    it('keeps a member that left as a tombstone, out of the loaded state, until it comes back', async () => {
      const progress = await claim(1);
      const state = richState();
      const { conversationId } = state;
      await opened.checkpoint.commit(writeOf(state, advanceOf(progress, 1)));
      const second = { ...advanceOf(progress, 2), expectedOffset: progress.nextOffset + 1 };
      const rev = state.lastRev + 1;
      const member = structuredClone(state.members.get(user('b')));
      const membershipEpoch = state.membershipEpoch + 1;
      const event = {
        type: 'members-changed',
        version: 1,
        conversationId,
        at: state.createdAt + 99,
        rev,
        membershipEpoch,
      } as const;
      evolve(state, { ...event, added: [], removed: [user('b')], roles: {} });
      const members = member ? [{ conversationId, member, removedAt: event.at }] : [];
      await opened.checkpoint.commit({ ...NOTHING, partitions: [second], conversations: [state], members });
      const { states } = await opened.checkpoint.load([conversationId], []);
      expect([...(states.get(conversationId)?.members.keys() ?? [])]).not.toContain(user('b'));
      expect(states.get(conversationId)).toEqual(state);
    });

    it('writes nothing at another offset or another epoch than the expected one', async () => {
      const progress = await claim(2);
      const state = richState();
      const elsewhere = { ...advanceOf(progress, 1), expectedOffset: progress.nextOffset + 7 };
      expect(await opened.checkpoint.commit(writeOf(state, elsewhere))).toBe('fenced');
      await claim(2);
      expect(await opened.checkpoint.commit(writeOf(state, advanceOf(progress, 1)))).toBe('fenced');
      const { states } = await opened.checkpoint.load([state.conversationId], []);
      expect(states.get(state.conversationId)).toBeNull();
    });

    it('writes nothing at all when one partition of several is fenced', async () => {
      const good = await claim(3);
      const lost = await claim(4);
      await claim(4);
      const state = richState();
      const write = { ...writeOf(state, advanceOf(good, 1)), partitions: [advanceOf(good, 1), advanceOf(lost, 1)] };
      expect(await opened.checkpoint.commit(write)).toBe('fenced');
      expect((await opened.checkpoint.progress([3]))[0]?.nextOffset).toBe(good.nextOffset);
    });

    it('tells data that can never be stored from trouble that may pass, and moves nothing', async () => {
      const progress = await claim(7);
      const state = { ...richState(), name: 'NUL \0 is not text' };
      const refused = opened.checkpoint.commit(writeOf(state, advanceOf(progress, 1)));
      await expect(refused).rejects.toBeInstanceOf(DataRefused);
      expect((await opened.checkpoint.progress([7]))[0]?.nextOffset).toBe(progress.nextOffset);
    });

    it('tells a former owner that loads which of its partitions are fenced', async () => {
      const [former, other] = [await claim(5), await claim(8)];
      await claim(5);
      expect((await opened.checkpoint.load([], [other, former])).fenced).toEqual([5]);
    });

    it('keeps offset, clock with its counter, and the hash of the last record', async () => {
      const advance = advanceOf(await claim(6), 3);
      await opened.checkpoint.commit({ ...NOTHING, partitions: [advance] });
      const { expectedOffset: _, ...progress } = advance;
      expect(await opened.checkpoint.progress([6])).toEqual([progress]);
    });
  });
}
