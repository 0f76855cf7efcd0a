import { describe, expect, it, vi } from 'vitest';
import { repliesContract } from '../../../domain/src/ports/replies.port.contract.js';
import { MemoryReplies, MemoryRepliesHub } from './memory-replies.js';

repliesContract('memory', async () => {
  const hub = new MemoryRepliesHub();
  const waiting = new MemoryReplies(hub);
  const answering = new MemoryReplies(hub);
  return {
    waiting,
    answering,
    close: () => {
      waiting.close();
      answering.close();
    },
  };
});

describe('replies in memory', () => {
  it('have one timer, however many commands wait', async () => {
    const timers = vi.spyOn(globalThis, 'setInterval');
    const replies = new MemoryReplies();
    const waiting = Promise.all(Array.from({ length: 1_000 }, (_, i) => replies.expect(`c${i}`, 50)));
    expect(timers).toHaveBeenCalledTimes(1);
    expect(await waiting).toEqual(Array.from({ length: 1_000 }, () => null));
    expect(replies.waiting).toBe(0);
    timers.mockRestore();
    replies.close();
  });

  it('tell everybody who still waits when they are closed', async () => {
    const replies = new MemoryReplies();
    const waiting = replies.expect('a', 60_000);
    replies.close();
    expect(await waiting).toBeNull();
  });
});
