import { describe, expect, it } from 'vitest';
import { endOfRespValue } from './resp-value.js';

const values = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':12\r\n',
  '_\r\n',
  '#t\r\n',
  ',1.5\r\n',
  '$-1\r\n',
  '$0\r\n\r\n',
  '$8\r\na\r\nb\r\nc\r\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$2\r\n{}\r\n',
  '>2\r\n+a\r\n*2\r\n:1\r\n$1\r\n*\r\n',
  '%2\r\n+server\r\n+redis\r\n+modules\r\n*0\r\n',
];

describe('the end of a value of Redis', () => {
  it.each(values)('is found of %j, with another one behind it', (text) => {
    expect(endOfRespValue(Buffer.from(`${text}$3\r\nabc\r\n`))).toBe(text.length);
    expect(endOfRespValue(Buffer.from(`:1\r\n${text}`), 4)).toBe(4 + text.length);
  });

  it.each(values)('is not found before all of %j has come', (text) => {
    for (let length = 0; length < text.length; length++) {
      expect(endOfRespValue(Buffer.from(text.slice(0, length)))).toBeNull();
    }
  });
});
