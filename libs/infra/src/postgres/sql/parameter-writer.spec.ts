import { describe, expect, it } from 'vitest';
import { ParameterWriter } from './parameter-writer.js';

const UUID = '0123abcd-4567-89ef-8003-fedcba987654';
const BYTES = Buffer.from('0123abcd456789ef8003fedcba987654', 'hex');

function written(write: (writer: ParameterWriter) => void): Buffer {
  const writer = new ParameterWriter();
  write(writer);
  return Buffer.from(writer.bytes());
}

describe('a parameter writer', () => {
  it('writes numbers with the highest byte first', () => {
    const hex = (write: (writer: ParameterWriter) => void): string => written(write).toString('hex');
    expect(hex((w) => w.int8(7))).toBe('07');
    expect([hex((w) => w.int16(258)), hex((w) => w.int16(-2))]).toEqual(['0102', 'fffe']);
    expect([hex((w) => w.int32(0x1020304)), hex((w) => w.int32(-1))]).toEqual(['01020304', 'ffffffff']);
    expect(hex((w) => w.decimal64('9223372036854775807'))).toBe('7fffffffffffffff');
  });

  it.each([NaN, Infinity, 0.5])('refuses %d where a whole number belongs', (value) => {
    expect(() => written((w) => w.int64(value))).toThrow(TypeError);
  });

  it.each([0, 1, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), -(2 ** 32) - 1, 2 ** 53, -(2 ** 53)])(
    'writes %d as 64 bits, the same from a number and from digits',
    (value) => {
      const bytes = written((w) => w.int64(value));
      expect(bytes.readBigInt64BE()).toBe(BigInt(value));
      expect(written((w) => w.decimal64(String(value)))).toEqual(bytes);
    },
  );

  it.each([
    ['int16', (w: ParameterWriter) => w.int16(32_768)],
    ['int32', (w: ParameterWriter) => w.int32(2 ** 31)],
    ['int64', (w: ParameterWriter) => w.int64(2 ** 63)],
    ['decimal64', (w: ParameterWriter) => w.decimal64('9223372036854775808')],
  ])('refuses a number that %s does not hold', (_name, write) => {
    expect(() => written(write)).toThrow(RangeError);
  });

  it('refuses digits that are none', () => {
    expect(() => written((w) => w.decimal64('12x'))).toThrow(SyntaxError);
  });

  it('writes texts as UTF-8, whatever their length and their characters', () => {
    const pieces = ['', 'a', 'ä', '漢', '😀', '\u007f\u0080', 'a'.repeat(47) + '漢'];
    for (const piece of pieces) {
      for (const text of [piece, 'x'.repeat(48) + piece, piece.repeat(49)]) {
        expect(written((w) => w.text(text)).toString('utf8')).toBe(text);
      }
    }
    expect(written((w) => w.text('\ud800!')).toString('utf8')).toBe('\ufffd!');
  });

  it('ends a name with a zero byte', () => {
    expect(written((w) => w.name('commit_1'))).toEqual(Buffer.from('commit_1\0'));
  });

  it('puts the length before what was written: without itself for a value, with itself for a message', () => {
    const bytes = written((w) => {
      w.int8(66);
      const message = w.beginLength();
      const value = w.beginLength();
      w.text('abc');
      w.endLength(value);
      w.endMessage(message);
    });
    expect(bytes).toEqual(Buffer.from([66, 0, 0, 0, 11, 0, 0, 0, 3, 97, 98, 99]));
  });
});

describe('a UUID', () => {
  it.each([UUID, UUID.toUpperCase(), UUID.replaceAll('-', '')])('is written as sixteen bytes: %s', (uuid) => {
    expect(written((w) => w.uuid(uuid))).toEqual(BYTES);
  });

  it.each([
    ['nothing', ''],
    ['one digit too few', UUID.slice(0, -1)],
    ['two digits too few', UUID.slice(0, -2)],
    ['one digit too many', `${UUID}0`],
    ['two digits too many', `${UUID}00`],
    ['a letter after f', UUID.replace('f', 'g')],
    ['an ASCII character between 9 and A', UUID.replace('9', ':')],
    ['braces', `{${UUID}}`],
    ['a space at its end', `${UUID} `],
    ['a character above ASCII', UUID.replace('0', 'é')],
    ['a character whose lower byte is a digit', UUID.replace('0', '\u0130')],
    ['an emoji', UUID.replace('01', '😀')],
    ['an emoji more', `${UUID}😀`],
    ['hyphens only', '-'.repeat(36)],
  ])('is refused with a TypeError that quotes it: %s', (_what, text) => {
    const writer = new ParameterWriter();
    expect(() => writer.uuid(text)).toThrow(new TypeError(`not a UUID: ${text}`));
  });

  it('that is refused leaves what was written before and is overwritten by the next value', () => {
    const writer = new ParameterWriter();
    writer.int8(1);
    expect(() => writer.uuid(`${UUID}x`)).toThrow(TypeError);
    writer.int8(2);
    expect([...writer.bytes()]).toEqual([1, 2]);
  });
});

describe('the buffer of a parameter writer', () => {
  it('keeps what was written while it grows, by small steps and by a large one', () => {
    const expected: Buffer[] = [];
    const bytes = written((w) => {
      for (let i = 0; i < 20_000; i += 1) {
        w.int32(i);
        w.uuid(UUID);
        const number = Buffer.alloc(4);
        number.writeInt32BE(i);
        expected.push(number, BYTES);
      }
      const text = '漢'.repeat(1_000_000);
      w.text(text);
      expected.push(Buffer.from(text));
      w.int8(9);
      expected.push(Buffer.from([9]));
    });
    expect(bytes.equals(Buffer.concat(expected))).toBe(true);
  });

  it.each([
    ['int8', (w: ParameterWriter) => w.int8(1), 1],
    ['int16', (w: ParameterWriter) => w.int16(1), 2],
    ['int32', (w: ParameterWriter) => w.int32(1), 4],
    ['int64', (w: ParameterWriter) => w.int64(1), 8],
    ['decimal64', (w: ParameterWriter) => w.decimal64('1'), 8],
    ['a short text', (w: ParameterWriter) => w.text('abcde'), 5],
    ['a short text above ASCII', (w: ParameterWriter) => w.text('漢字'), 6],
    ['a UUID', (w: ParameterWriter) => w.uuid(UUID), 16],
  ])('grows for %s at any place around its end', (_name, write, length) => {
    const value = written(write);
    expect(value).toHaveLength(length);
    for (let before = 64 * 1_024 - 20; before <= 64 * 1_024; before += 1) {
      const bytes = written((w) => {
        w.text('x'.repeat(before));
        write(w);
      });
      // The text alone reserves three times its length: the same again in a buffer that is full to the byte.
      const filled = written((w) => {
        for (let i = 0; i < before; i += 1) w.int8(120);
        write(w);
      });
      const expected = Buffer.concat([Buffer.alloc(before, 'x'), value]);
      expect([bytes.equals(expected), filled.equals(expected)]).toEqual([true, true]);
    }
  });

  it('begins anew after a reset, also after one that gave back a large buffer', () => {
    const writer = new ParameterWriter();
    writer.text('first');
    writer.reset();
    expect(writer.bytes()).toHaveLength(0);
    writer.text('two');
    expect(writer.bytes().toString()).toBe('two');
    writer.text('x'.repeat(3_000_000));
    expect(writer.bytes().buffer.byteLength).toBeGreaterThan(4 * 1_024 * 1_024);
    writer.reset();
    writer.text('three');
    expect(writer.bytes().toString()).toBe('three');
    expect(writer.bytes().buffer.byteLength).toBeLessThan(1_024 * 1_024);
  });

  it('is the same one after a reset while it is not large', () => {
    const writer = new ParameterWriter();
    writer.text('x'.repeat(300_000));
    const { buffer } = writer.bytes();
    writer.reset();
    writer.int8(1);
    expect(writer.bytes().buffer).toBe(buffer);
  });
});
