import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveTyping } from '../../live/live-event.js';
import { ADA, BEN, by, CommandSide, CYD, DAN } from '../../testing/command-side.js';
import { SetTyping } from './set-typing.command.js';
import { SetTypingHandler } from './set-typing.handler.js';

describe('typing', () => {
  let side: CommandSide;
  let group: string;
  beforeEach(async () => {
    side = new CommandSide();
    group = await side.group(ADA, BEN);
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await side.close();
  });

  function set(userId: string, isTyping: boolean, conversationId = group): Promise<void> {
    const handler = new SetTypingHandler(side.order, side.directory, side.directBlocks, side.typing);
    return handler.execute(new SetTyping(by(userId, `${userId}'s socket`), { conversationId, isTyping }));
  }
  const shown = (): LiveTyping[] => side.live.filter((event) => event.type === 'typing');
  const shownStates = (): boolean[] => shown().map(({ isTyping }) => isTyping);

  it('is told to the others, with the epoch of the members and the socket that needs no telling', async () => {
    await set(BEN, true);
    expect(shown()).toEqual([
      {
        type: 'typing',
        conversationId: group,
        membershipEpoch: 1,
        userId: BEN,
        isTyping: true,
        originConnectionId: `${BEN}'s socket`,
      },
    ]);
    expect(side.decidedTypes()).toEqual(['create-conversation']);
  });

  it('reaches others at most once a second for each user and conversation', async () => {
    for (let i = 0; i < 20; i += 1) {
      await set(BEN, true);
      vi.advanceTimersByTime(100);
    }
    expect(shownStates()).toEqual([true, true]);
    await set(ADA, true);
    await set(BEN, true, await side.group(ADA, BEN));
    expect(shown()).toHaveLength(4);
  });

  it('is told to have ended only when it was told to have begun', async () => {
    await set(BEN, false);
    expect(shown()).toEqual([]);
    await set(BEN, true);
    await set(BEN, false);
    await set(BEN, false);
    expect(shownStates()).toEqual([true, false]);
  });

  it('that begins again within the second is told when the second is over, if it still goes on', async () => {
    await set(BEN, true);
    await set(BEN, false);
    await set(BEN, true);
    expect(shownStates()).toEqual([true, false]);
    vi.advanceTimersByTime(1_300);
    expect(shownStates()).toEqual([true, false, true]);
    await set(BEN, false);
    await set(BEN, true);
    await set(BEN, false);
    vi.advanceTimersByTime(10_000);
    expect(shownStates()).toEqual([true, false, true, false]);
  });

  it('ends by itself 6 seconds after its last renewal', async () => {
    await set(BEN, true);
    vi.advanceTimersByTime(4_000);
    await set(BEN, true);
    vi.advanceTimersByTime(5_900);
    expect(shownStates()).toEqual([true, true]);
    vi.advanceTimersByTime(500);
    expect(shownStates()).toEqual([true, true, false]);
    vi.advanceTimersByTime(20_000);
    expect(shown()).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends when the user sends a message there', async () => {
    await set(BEN, true);
    await side.message(ADA, group);
    expect(shownStates()).toEqual([true]);
    await side.message(BEN, group);
    expect(shownStates()).toEqual([true, false]);
  });

  it('of 100 users costs one timer', async () => {
    const users = Array.from(
      { length: 100 },
      (_, i) => `00000000-0000-4000-8000-000000000${String(i).padStart(3, '0')}`,
    );
    const large = await side.group(ADA, ...users);
    const before = vi.getTimerCount();
    for (const userId of users) await set(userId, true, large);
    expect(shown()).toHaveLength(100);
    expect(vi.getTimerCount()).toBe(before + 1);
    side.typing.onModuleDestroy();
    expect(vi.getTimerCount()).toBe(before);
  });

  it('is not found by strangers', async () => {
    await expect(set(DAN, true)).rejects.toMatchObject({ code: 'not_found' });
    expect(shown()).toEqual([]);
  });

  it('of a blocked person in a direct conversation is swallowed, and of nobody else', async () => {
    const direct = await side.direct(ADA, BEN);
    side.blocks.set(ADA, BEN, true);
    await set(BEN, true, direct);
    expect(shown()).toEqual([]);
    await set(ADA, true, direct);
    await set(BEN, true);
    expect(shown()).toHaveLength(2);
  });

  it('that is looked up is not overtaken by its end', async () => {
    const unknown = await side.group(ADA, CYD);
    const gate = Promise.withResolvers<void>();
    side.reads.hold = gate.promise;
    const begun = set(CYD, true, unknown);
    side.reads.hold = Promise.resolve();
    await side.directory.reload(unknown);
    const ended = set(CYD, false, unknown);
    gate.resolve();
    await Promise.all([begun, ended]);
    expect(shownStates()).toEqual([true, false]);
  });
});
