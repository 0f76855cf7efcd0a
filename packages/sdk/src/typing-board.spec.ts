import { describe, expect, it } from 'vitest';
import { TypingBoard } from './typing-board.js';

describe('a keystroke', () => {
  it('is told every two seconds, by a clock that is set back too, and at once after an end', () => {
    let nowMs = Date.UTC(2026, 10, 23);
    const board = new TypingBoard({ now: () => nowMs, after: () => () => {} }, () => {});
    const told = (passedMs: number): boolean => {
      nowMs += passedMs;
      return board.mayTell('chat');
    };
    expect([told(0), told(1_999), told(1), told(1_000)]).toEqual([true, false, true, false]);
    expect(board.mayTell('another')).toBe(true);
    expect([told(-3_600_000), told(1_000)]).toEqual([true, false]);
    board.ended('chat');
    expect(told(0)).toBe(true);
  });
});
