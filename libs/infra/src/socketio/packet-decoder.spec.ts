import { describe, expect, it } from 'vitest';
import { PacketDecoder, UNAUTHENTICATED_CHARS_MAX, type IncomingPacket } from './packet-decoder.js';

function decode(...chunks: unknown[]): IncomingPacket[] {
  const decoder = new PacketDecoder();
  decoder.textCharsMax = Infinity;
  const packets: IncomingPacket[] = [];
  decoder.on('decoded', (packet) => packets.push(packet));
  for (const chunk of chunks) decoder.add(chunk);
  return packets;
}

describe('the decoder', () => {
  it.each([
    ['0{"token":"t"}', { type: 0, nsp: '/', id: undefined, data: { token: 't' } }],
    ['0', { type: 0, nsp: '/', data: undefined }],
    ['0/admin,{}', { type: 0, nsp: '/admin', data: {} }],
    ['1', { type: 1, nsp: '/', data: undefined }],
    ['2["x",{"a":1}]', { type: 2, id: undefined, data: ['x', { a: 1 }] }],
    ['20["x"]', { type: 2, id: '0', data: ['x'] }],
    ['2/n,12["x"]', { type: 2, nsp: '/n', id: '12', data: ['x'] }],
    ['2[["x"]', { type: 2, problem: 'invalid_json' }],
    ['25', { type: 2, id: '5', problem: 'invalid_json' }],
    ['51-7["x"]', { type: 5, id: '7', problem: 'binary_not_taken' }],
  ])('reads %s', (text, packet) => {
    expect(decode(text)).toMatchObject([packet]);
  });

  it.each([
    [''],
    ['7'],
    ['x'],
    ['0[]'],
    ['0"t"'],
    ['0{'],
    ['5["x"]'],
    ['50-["x"]'],
    ['511-["x"]'],
    [`2${'1'.repeat(17)}[]`],
  ])('throws on %j', (text) => {
    expect(() => decode(text)).toThrow(Error);
  });

  it('drops announced attachments and throws on others', () => {
    expect(decode('52-1["x"]', Buffer.from('a'), '2["y"]', Buffer.from('b'))).toHaveLength(2);
    expect(() => decode('51-["x"]', Buffer.from('a'), Buffer.from('b'))).toThrow('binary');
  });

  it('gathers no attachments without end', () => {
    expect(() => decode('59-["x"]', '52-["x"]')).toThrow('attachments');
  });

  it('takes little from a stranger', () => {
    const decoder = new PacketDecoder();
    expect(() => decoder.add(`0{"token":"${'x'.repeat(UNAUTHENTICATED_CHARS_MAX)}"}`)).toThrow('handshake');
  });
});
