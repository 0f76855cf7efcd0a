import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryBroadcast } from '../../../infra/src/memory/memory-broadcast.js';
import type { Membership } from '../ports/conversation-reader.port.js';
import { ADA, BEN, CommandSide } from '../testing/command-side.js';
import type { Blocks } from '../users/blocks.port.js';
import { DirectBlocks } from './direct-blocks.js';

describe('direct blocks', () => {
  let side: CommandSide;
  let direct: Membership;
  beforeEach(async () => {
    side = new CommandSide({ limits: { blockStateMs: 60_000 } });
    direct = (await side.directory.load(await side.direct(ADA, BEN))) as Membership;
  });
  afterEach(async () => {
    vi.useRealTimers();
    await side.close();
  });

  it('stop the blocked person, not the blocker', async () => {
    side.blocks.set(BEN, ADA, true);
    expect(await side.directBlocks.isBlocked(ADA, direct)).toBe(true);
    expect(await side.directBlocks.isBlocked(BEN, direct)).toBe(false);
  });

  it('do not concern groups, and do not even look', async () => {
    side.blocks.set(BEN, ADA, true);
    const group = (await side.directory.load(await side.group(ADA, BEN))) as Membership;
    expect(side.directBlocks.isBlocked(ADA, group)).toBe(false);
    expect(side.blocks.reads).toBe(0);
  });

  it('are remembered, and read once for all who ask at the same time', async () => {
    await Promise.all([1, 2, 3].map(async () => side.directBlocks.isBlocked(ADA, direct)));
    expect(side.directBlocks.isBlocked(ADA, direct)).toBe(false);
    expect(side.blocks.reads).toBe(1);
  });

  it('count at once when they are made or lifted in this process', async () => {
    expect(await side.directBlocks.isBlocked(ADA, direct)).toBe(false);
    side.blocks.set(BEN, ADA, true);
    expect(await side.directBlocks.isBlocked(ADA, direct)).toBe(true);
    side.blocks.set(BEN, ADA, false);
    expect(await side.directBlocks.isBlocked(ADA, direct)).toBe(false);
  });

  it('do not keep what was read while a change was made', async () => {
    const reading = side.directBlocks.isBlocked(ADA, direct);
    side.blocks.set(BEN, ADA, true);
    await reading;
    expect(await side.directBlocks.isBlocked(ADA, direct)).toBe(true);
  });

  it('that another process has lifted refuse nobody from then on, also where nobody has told of it yet', async () => {
    side.blocks.set(BEN, ADA, true);
    expect(await side.directBlocks.isBlocked(ADA, direct)).toBe(true);
    const underWay = side.directBlocks.isBlocked(ADA, direct);
    side.blocks.setElsewhere(BEN, ADA, false);
    const asked = [1, 2].map(async () => side.directBlocks.isBlocked(ADA, direct));
    expect(await Promise.all(asked)).toEqual([false, false]);
    expect(await underWay).toBe(true);
  });

  it('that another process makes count as soon as they are heard of, or when events may have been missed', async () => {
    const interrupted: (() => void)[] = [];
    const broadcast = new MemoryBroadcast();
    broadcast.onInterruption = (listener?: () => void) => {
      if (listener) interrupted.push(listener);
      return () => {};
    };
    const blocks = side.blocks as unknown as Blocks;
    const here = new DirectBlocks(blocks, side.limits, broadcast);
    const there = new CommandSide();
    const elsewhere = new DirectBlocks(there.blocks as unknown as Blocks, side.limits, broadcast);
    expect(await here.isBlocked(ADA, direct)).toBe(false);
    side.blocks.setElsewhere(BEN, ADA, true);
    there.blocks.set(BEN, ADA, true);
    expect(await here.isBlocked(ADA, direct)).toBe(true);
    side.blocks.setElsewhere(BEN, ADA, false);
    expect(await here.isBlocked(ADA, direct)).toBe(false);
    side.blocks.setElsewhere(BEN, ADA, true);
    expect(here.isBlocked(ADA, direct)).toBe(false);
    for (const listener of interrupted) listener();
    expect(await here.isBlocked(ADA, direct)).toBe(true);
    here.onModuleDestroy();
    elsewhere.onModuleDestroy();
    await there.close();
  });

  it('that nobody told of are noticed when the remembered state has run out', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    expect(await side.directBlocks.isBlocked(ADA, direct)).toBe(false);
    side.blocks.setElsewhere(BEN, ADA, true);
    vi.advanceTimersByTime(59_000);
    expect(side.directBlocks.isBlocked(ADA, direct)).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(await side.directBlocks.isBlocked(ADA, direct)).toBe(true);
  });
});
