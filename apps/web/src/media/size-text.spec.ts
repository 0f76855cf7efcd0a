import { expect, it } from 'vitest';
import { sizeText } from './size-text.js';

it.each([
  [0, '0 B'],
  [840, '840 B'],
  [999, '999 B'],
  [1_000, '1.0 KB'],
  [9_949, '9.9 KB'],
  [9_951, '10 KB'],
  [999_600, '1.0 MB'],
  [26_214_400, '26 MB'],
  [5_000_000_000_000, '5000 GB'],
])('%d bytes are %j', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
