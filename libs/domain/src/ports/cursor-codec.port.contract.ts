import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CursorCodec } from './cursor-codec.port.js';

const invalid = expect.objectContaining({
  code: 'validation_failed',
  errors: [expect.objectContaining({ path: 'cursor' })],
});

/** What every codec keeps to. Two codecs of the same secret are the same codec. */
export function cursorCodecContract(name: string, make: (secret: string) => CursorCodec): void {
  describe(`cursor codec: ${name}`, () => {
    const codec = make('the secret of this server, long enough');
    const userId = randomUUID();
    const position = ['12345678901234567890', 7, 'Ünï ☃'];
    const cursor = codec.seal(userId, 'contacts', position);

    it('gives the position back, also after a restart', () => {
      expect(codec.open(userId, 'contacts', cursor)).toEqual(position);
      expect(make('the secret of this server, long enough').open(userId, 'contacts', cursor)).toEqual(position);
    });

    it('refuses a cursor of another user, another list or another server', () => {
      expect(() => codec.open(randomUUID(), 'contacts', cursor)).toThrow(invalid);
      expect(() => codec.open(userId, 'blocks', cursor)).toThrow(invalid);
      expect(() => make('another secret, long enough as well').open(userId, 'contacts', cursor)).toThrow(invalid);
    });

    it('does not take user and list apart in another place', () => {
      const sealed = codec.seal('ab', 'c', [1]);
      expect(() => codec.open('a', 'bc', sealed)).toThrow(invalid);
    });

    it('refuses garbage, a changed cursor, and 64 KB', () => {
      const at = cursor.length - 4;
      const changed = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
      for (const text of ['', 'x', '%00', '../', '{}', 'bnVsbA', changed, cursor.slice(3), 'A'.repeat(65_536)]) {
        expect(() => codec.open(userId, 'contacts', text)).toThrow(invalid);
      }
    });

    it('goes into a URL as it is', () => {
      expect(encodeURIComponent(cursor)).toBe(cursor);
    });
  });
}
