import type { Message } from '@parley/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countWithin, messageBytes, stretchWithin } from './page-bytes.js';

const messagesOf = (contents: readonly string[]): Message[] =>
  contents.map((content, seq) => ({ seq, content }) as Message);
const bytesOf = (messages: readonly Message[]): number =>
  messages.reduce((bytes, message) => bytes + messageBytes(message) + 1, 0);

const contents = fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { minLength: 1, maxLength: 12 });
const limit = fc.integer({ min: 1, max: 900 });

describe('a page of bounded bytes', () => {
  it('holds as many messages from the front as fit, and one at least', () => {
    fc.assert(
      fc.property(contents, limit, (texts, bytesMax) => {
        const messages = messagesOf(texts);
        const count = countWithin(messages, bytesMax);
        const fits = (n: number): boolean => n <= 1 || bytesOf(messages.slice(0, n)) <= bytesMax;
        expect(count).toBeGreaterThanOrEqual(1);
        expect(fits(count)).toBe(true);
        expect(count === messages.length || !fits(count + 1)).toBe(true);
      }),
    );
  });

  it('grows around a message without a gap, and cannot grow further to either side', () => {
    fc.assert(
      fc.property(contents, limit, fc.nat(), (texts, bytesMax, at) => {
        const messages = messagesOf(texts);
        const index = at % messages.length;
        const stretch = stretchWithin(messages, index, bytesMax);
        const from = stretch[0]?.seq ?? -1;
        const to = from + stretch.length - 1;
        expect(stretch).toEqual(messages.slice(from, to + 1));
        expect(from <= index && index <= to).toBe(true);
        expect(stretch.length === 1 || bytesOf(stretch) <= bytesMax).toBe(true);
        const wider = [messages.slice(Math.max(from - 1, 0), to + 1), messages.slice(from, to + 2)];
        for (const more of wider) expect(more.length === stretch.length || bytesOf(more) > bytesMax).toBe(true);
      }),
    );
  });

  it('leaves alone a message that is too large itself, though its neighbour would fit', () => {
    const [large, small] = messagesOf([' ', '']) as [Message, Message];
    expect(stretchWithin([large, small], 0, messageBytes(small) + 1)).toEqual([large]);
  });
});
