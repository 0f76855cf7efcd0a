import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentDisposition, safeFileName } from './file-name.js';

describe('the name of a file', () => {
  it.each([
    ['photo.png', 'photo.png'],
    ['Überraschung 日本.jpeg', 'Überraschung 日本.jpeg'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\ada\\a.txt', 'a.txt'],
    ['a\r\nSet-Cookie: x=1.png', 'aSet-Cookie_ x=1.png'],
    ['photo\u202Egnp.exe', 'photognp.exe'],
    ['zero\u200bwidth\u0000.gif', 'zerowidth.gif'],
    ['..', 'file'],
    ['', 'file'],
    ['   .  ', 'file'],
    ['con.txt', '_con.txt'],
    ['a"b<c>|?.txt', 'a_b_c___.txt'],
  ])('%j is shown as %j', (given, shown) => {
    expect(safeFileName(given)).toBe(shown);
  });

  it('is cut between characters, and keeps its extension', () => {
    const name = safeFileName(`${'😀'.repeat(300)}.jpeg`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
    expect(name).toMatch(/^(😀)+\.jpeg$/u);
  });

  it('never ends a header or its quotes, never leaves its folder, and is never empty', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (given) => {
        const name = safeFileName(given);
        expect(name).not.toBe('');
        expect(name).not.toMatch(/[/\\\p{Cc}]|^\.+$/u);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(201);
        expect(contentDisposition('attachment', name)).toMatch(
          /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]+"; filename\*=UTF-8''[!-~]+$/,
        );
      }),
    );
  });

  it('keeps its letters in the header, beside a plain form for old clients', () => {
    expect(contentDisposition('inline', "Ü's (1).png")).toBe(
      `inline; filename="_'s (1).png"; filename*=UTF-8''%C3%9C%27s%20%281%29.png`,
    );
  });
});
