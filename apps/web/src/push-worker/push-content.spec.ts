import { describe, expect, it } from 'vitest';
import { pushContentOf } from './push-content.js';

const conversationId = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90';
const tag = conversationId.replaceAll('-', '');
const message = { type: 'message', conversationId, tag, seq: 7, title: 'Ada', body: 'Hello', badge: 3 };

describe('what a push brings', () => {
  it('is read as the server sends it', () => {
    const sent = { ...message, messageId: '123', senderId: 'someone' };
    expect(pushContentOf(JSON.stringify(sent))).toEqual(message);
  });

  it('that takes away has no words, and still a title if it had to be shown', () => {
    const sent = { ...message, type: 'clear', title: null, body: null };
    expect(pushContentOf(JSON.stringify(sent))).toEqual({ ...message, type: 'clear', title: 'Parley', body: '' });
  });

  it.each([
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['null', 'null'],
    ['another kind', JSON.stringify({ ...message, type: 'call' })],
    ['an address instead of an id', JSON.stringify({ ...message, conversationId: '../../elsewhere' })],
    ['no tag', JSON.stringify({ ...message, tag: undefined })],
    ['a number that is none', JSON.stringify({ ...message, seq: '7' })],
  ])('is passed over: %s', (_what, text) => {
    expect(pushContentOf(text)).toBeNull();
  });
});
