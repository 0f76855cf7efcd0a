import { describe, expect, it } from 'vitest';
import { encodedOptions, encodeFrame, joinedOptions } from './wire-packet.js';

/** RFC 6455, 5.2, read by hand. */
function read(frame: Buffer): { opcode: number; fin: boolean; masked: boolean; body: string } {
  const short = (frame[1] as number) & 0x7f;
  const size = short < 126 ? short : short === 126 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  expect(frame.length).toBe(head + size);
  return {
    opcode: (frame[0] as number) & 0x0f,
    fin: ((frame[0] as number) & 0x80) !== 0,
    masked: ((frame[1] as number) & 0x80) !== 0,
    body: frame.subarray(head).toString('utf8'),
  };
}

describe('a frame', () => {
  it.each([0, 1, 124, 125, 126, 65_533, 65_534, 65_535, 65_536, 200_000])('carries a text of %i bytes', (length) => {
    const text = 'x'.repeat(length);
    expect(read(encodeFrame(text))).toEqual({ opcode: 1, fin: true, masked: false, body: `4${text}` });
  });

  it('carries any text', () => {
    const text = '2["new_message",{"content":"Grüße 👋 \u2028 ￿"}]';
    expect(read(encodeFrame(text)).body).toBe(`4${text}`);
  });

  it('goes out with others as one run of bytes, each whole and in order', () => {
    const [joined] = joinedOptions([{ text: 'first' }, { text: 'second' }]).wsPreEncodedFrame;
    expect(joined).toEqual(Buffer.concat([encodeFrame('first'), encodeFrame('second')]));
  });

  it('is made once for a packet', () => {
    const packet = { text: 'x' };
    expect(encodedOptions(packet)).toBe(encodedOptions(packet));
  });
});
