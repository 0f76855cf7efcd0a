import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LiveEvent } from '../live/live-event.js';
import { conversationRoom, userRoom } from '../live/live-rooms.js';
import type { Broadcast } from './broadcast.port.js';

export interface BroadcastUnderTest {
  /** Two processes of one cluster. */
  here: Broadcast;
  there: Broadcast;
  close?: () => Promise<void> | void;
}

function typing(conversationId: string, userId: string): LiveEvent {
  return { type: 'typing', conversationId, membershipEpoch: 1, userId, isTyping: true, originConnectionId: null };
}

/** A change of members of conversation `a`, which concerns two users besides. */
function membersChanged(rev: number): LiveEvent {
  const place = { conversationId: 'a', membershipEpoch: rev };
  return { type: 'members-changed', ...place, rev, added: ['x'], removed: ['y'], roles: {} };
}

const A = [conversationRoom('a')];

/** What every broadcast keeps to while nothing interrupts it. */
export function broadcastContract(name: string, make: () => Promise<BroadcastUnderTest>): void {
  describe(`broadcast: ${name}`, () => {
    const opened: BroadcastUnderTest[] = [];
    const open = async (): Promise<BroadcastUnderTest> => {
      const made = await make();
      opened.push(made);
      return made;
    };
    afterEach(async () => {
      for (const { close } of opened.splice(0)) await close?.();
    });

    it('brings events to the listeners of every process, its own too', async () => {
      const { here, there } = await open();
      const heard: [string, LiveEvent][] = [];
      await Promise.all([here.follow(A), there.follow(A)]);
      here.subscribe((events) => events.forEach((event) => heard.push(['here', event])));
      there.subscribe((events) => events.forEach((event) => heard.push(['there', event])));
      await here.publish([typing('a', '1')]);
      await vi.waitFor(() => expect(heard).toHaveLength(2));
      expect(heard.map(([where]) => where).toSorted()).toEqual(['here', 'there']);
      expect(heard.map(([, event]) => event)).toEqual([typing('a', '1'), typing('a', '1')]);
    });

    it('keeps the order of the events of a conversation', async () => {
      const { here, there } = await open();
      const users: string[] = [];
      await there.follow(A);
      there.subscribe((events) => {
        for (const event of events) if (event.type === 'typing') users.push(event.userId);
      });
      const expected = Array.from({ length: 200 }, (_, i) => String(i));
      for (let i = 0; i < expected.length; i += 2) {
        void here.publish([typing('a', String(i)), typing('a', String(i + 1))]);
      }
      await vi.waitFor(() => expect(users).toHaveLength(expected.length));
      expect(users).toEqual(expected);
    });

    it('shows the same order to all when a listener publishes in its turn', async () => {
      const { here } = await open();
      const seen: [string[], string[]] = [[], []];
      await here.follow(A);
      for (const list of seen) {
        here.subscribe((events) => {
          for (const event of events) {
            if (event.type !== 'typing') continue;
            list.push(event.userId);
            if (event.userId === 'first' && list === seen[0]) void here.publish([typing('a', 'second')]);
          }
        });
      }
      await here.publish([typing('a', 'first')]);
      await vi.waitFor(() => expect(seen[1]).toHaveLength(2));
      expect(seen).toEqual([
        ['first', 'second'],
        ['first', 'second'],
      ]);
    });

    it('goes on after a listener has thrown', async () => {
      const { here } = await open();
      const heard = vi.fn<(events: readonly LiveEvent[]) => void>();
      await here.follow(A);
      here.subscribe(() => {
        throw new Error('a listener fails');
      });
      here.subscribe(heard);
      await expect(here.publish([typing('a', '1')])).resolves.toBeUndefined();
      await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1));
      await here.publish([typing('a', '2')]);
      await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(2));
    });

    it('no longer calls a listener that has unsubscribed', async () => {
      const { here } = await open();
      await here.follow(A);
      const gone = vi.fn<(events: readonly LiveEvent[]) => void>();
      const stays = vi.fn<(events: readonly LiveEvent[]) => void>();
      const unsubscribe = here.subscribe(gone);
      here.subscribe(stays);
      unsubscribe();
      await here.publish([typing('a', '1')]);
      await vi.waitFor(() => expect(stays).toHaveBeenCalledTimes(1));
      expect(gone).not.toHaveBeenCalled();
    });

    it('brings what is published from then on once a room is followed, and says since when', async () => {
      const { here, there } = await open();
      const heard: LiveEvent[] = [];
      there.subscribe((events) => heard.push(...events));
      for (let i = 0; i < 50; i++) {
        const conversationId = `room-${i}`;
        await there.follow([conversationRoom(conversationId)]);
        expect(there.followedSince(conversationRoom(conversationId))).toBeLessThanOrEqual(performance.now());
        await here.publish([typing(conversationId, '1')]);
      }
      await vi.waitFor(() => expect(heard).toHaveLength(50));
    });

    it('goes on bringing a room that was followed twice and unfollowed once', async () => {
      const { here, there } = await open();
      const heard: LiveEvent[] = [];
      there.subscribe((events) => heard.push(...events));
      await Promise.all([there.follow(A), there.follow(A)]);
      there.unfollow(A);
      await here.publish([typing('a', '1')]);
      await vi.waitFor(() => expect(heard).toEqual([typing('a', '1')]));
    });

    it('brings a room again that was unfollowed and followed at once', async () => {
      const { here, there } = await open();
      const heard: LiveEvent[] = [];
      there.subscribe((events) => heard.push(...events));
      await there.follow(A);
      for (let i = 0; i < 20; i++) {
        there.unfollow(A);
        await there.follow(A);
        await here.publish([typing('a', String(i))]);
      }
      await vi.waitFor(() => expect(heard).toHaveLength(20));
    });

    it('does not rest on what is followed nowhere: it may say nothing of it', async () => {
      const { here, there } = await open();
      await there.follow(A);
      there.unfollow(A);
      expect(there.followedSince(A[0]!) === null || there.bringsEverything).toBe(true);
      await expect(here.publish([typing('a', '1')])).resolves.toBeUndefined();
    });

    it('brings an event for several rooms once, in its place among those of its conversation', async () => {
      const { here, there } = await open();
      const heard: LiveEvent[] = [];
      there.subscribe((events) => heard.push(...events));
      await there.follow([...A, userRoom('x'), userRoom('y')]);
      const published = [typing('a', '1'), membersChanged(2), typing('a', '2'), membersChanged(3), typing('a', '3')];
      await here.publish(published);
      await here.publish([typing('a', 'last')]);
      await vi.waitFor(() => expect(heard).toContainEqual(typing('a', 'last')));
      expect(heard).toEqual([...published, typing('a', 'last')]);
    });

    it('brings a change of members to those who follow only one of the users concerned', async () => {
      const { here, there } = await open();
      const heard: LiveEvent[] = [];
      there.subscribe((events) => heard.push(...events));
      await there.follow([userRoom('y')]);
      await here.publish([membersChanged(2)]);
      await vi.waitFor(() => expect(heard).toEqual([membersChanged(2)]));
    });

    it('brings what is for everybody to everybody', async () => {
      const { here, there } = await open();
      const heard: LiveEvent[] = [];
      there.subscribe((events) => heard.push(...events));
      const moved: LiveEvent = { type: 'conversations-moved', heads: [] };
      await here.publish([moved]);
      await vi.waitFor(() => expect(heard).toEqual([moved]));
    });
  });
}
