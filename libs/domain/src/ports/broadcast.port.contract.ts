import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LiveEvent } from '../live/live-event.js';
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
      const gone = vi.fn<(events: readonly LiveEvent[]) => void>();
      const stays = vi.fn<(events: readonly LiveEvent[]) => void>();
      const unsubscribe = here.subscribe(gone);
      here.subscribe(stays);
      unsubscribe();
      await here.publish([typing('a', '1')]);
      await vi.waitFor(() => expect(stays).toHaveBeenCalledTimes(1));
      expect(gone).not.toHaveBeenCalled();
    });
  });
}
