import { describe, expect, it } from 'vitest';
import { LEFT_CONVERSATIONS_MAX, LeftConversations } from './left-conversations.js';

describe('the conversations that a socket was told to have left', () => {
  it('are those whose return was not told since', () => {
    const left = new LeftConversations();
    expect(left.has('a')).toBe(false);
    left.add('a');
    left.add('b');
    left.delete('a');
    left.delete('never left');
    expect(['a', 'b'].map((id) => left.has(id))).toEqual([false, true]);
    left.delete('b');
    expect(left.has('b')).toBe(false);
  });

  it('are no more than so many: the oldest is forgotten, and one that was left again is not', () => {
    const left = new LeftConversations();
    for (let n = 0; n < LEFT_CONVERSATIONS_MAX; n++) left.add(String(n));
    left.add('0');
    left.add('one more');
    expect(['0', '1', '2', 'one more'].map((id) => left.has(id))).toEqual([true, false, true, true]);
  });
});
