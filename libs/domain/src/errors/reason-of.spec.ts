import { expect, it } from 'vitest';
import { reasonOf } from './reason-of.js';

it('says the reason of an error, whatever was thrown', () => {
  expect(reasonOf(new Error('connect ECONNREFUSED'))).toBe('connect ECONNREFUSED');
  expect(reasonOf(new RangeError())).toBe('RangeError');
  expect(reasonOf('a word')).toBe('a word');
  // A name with several addresses that all refuse: no words of its own.
  expect(reasonOf(new AggregateError([new Error('::1 refuses'), new Error('127.0.0.1 refuses')]))).toBe('::1 refuses');
  expect(reasonOf(new AggregateError([], 'nothing was tried'))).toBe('nothing was tried');
});
