import type { LiveEvent, LiveListener, Membership } from '@parley/domain';
import { describe, expect, it } from 'vitest';
import { LiveDelivery } from './live-delivery.js';

const typing = (userId: string, membershipEpoch: number): LiveEvent => ({
  type: 'typing',
  conversationId: 'c',
  membershipEpoch,
  userId,
  isTyping: true,
  originConnectionId: null,
});
const membership = (membershipEpoch: number): Membership => ({
  conversationId: 'c',
  type: 'group',
  membershipEpoch,
  members: new Map(),
});

/** A delivery whose directory remembers one epoch and reads others, in this order. */
function deliveryWith(remembered: number, readings: number[]) {
  const written: { userId: string; epoch: number }[] = [];
  let listener: LiveListener = () => {};
  const read = async (): Promise<Membership> => membership(readings.shift() ?? 0);
  const parts = {
    broadcast: { subscribe: (given: LiveListener) => (listener = given), onInterruption: () => () => {} },
    directory: { get: () => membership(remembered), load: read, reload: read },
    registry: { size: 1 },
    writer: {
      typing: ({ userId }: { userId: string }, { membershipEpoch }: Membership) =>
        written.push({ userId, epoch: membershipEpoch }),
    },
  };
  const delivery = new LiveDelivery(
    ...([
      parts.broadcast,
      parts.directory,
      parts.registry,
      parts.writer,
      {},
      { size: 0 },
      { now: Date.now },
    ] as unknown as ConstructorParameters<typeof LiveDelivery>),
  );
  delivery.onApplicationBootstrap();
  return { written, publish: (...events: LiveEvent[]) => listener(events) };
}

describe('an event', () => {
  it('of the epoch that is remembered is written at once', () => {
    const { written, publish } = deliveryWith(3, []);
    publish(typing('a', 3), typing('b', 2));
    expect(written).toEqual([
      { userId: 'a', epoch: 3 },
      { userId: 'b', epoch: 3 },
    ]);
  });

  it('of a newer one waits for members as new as itself, and holds back those behind it', async () => {
    const { written, publish } = deliveryWith(3, [3, 4, 4]);
    publish(typing('a', 4), typing('b', 3));
    expect(written).toEqual([]);
    await expect.poll(() => written.length).toBe(2);
    expect(written).toEqual([
      { userId: 'a', epoch: 4 },
      { userId: 'b', epoch: 4 },
    ]);
  });

  it('that is newer than every reading is given up, and the next one is not', async () => {
    const { written, publish } = deliveryWith(3, [3, 3, 3, 5]);
    publish(typing('a', 4), typing('b', 5));
    await expect.poll(() => written.length).toBe(1);
    expect(written).toEqual([{ userId: 'b', epoch: 5 }]);
  });
});
