import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Drafts } from './drafts.js';

class MemoryStorage {
  readonly values = new Map<string, string>();
  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.values.set(key, value);
  }
  removeItem(key: string): void {
    this.values.delete(key);
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('keeps drafts over a reload, each user their own', () => {
  const storage = new MemoryStorage();
  new Drafts('ada', storage).set('c1', 'half a thou');
  vi.runAllTimers();
  expect(new Drafts('ada', storage).get('c1')).toBe('half a thou');
  expect(new Drafts('ben', storage).get('c1')).toBe('');
});

it('forgets a draft that has become blank, and tells who listens', () => {
  const storage = new MemoryStorage();
  const drafts = new Drafts('ada', storage);
  const told = vi.fn<() => void>();
  drafts.subscribe(told);
  drafts.set('c1', 'text');
  drafts.set('c1', ' \n');
  drafts.save();
  expect(drafts.get('c1')).toBe('');
  expect(told).toHaveBeenCalledTimes(2);
  expect(storage.getItem('parley.drafts.ada')).toBe('[]');
});

it('leaves what another tab wrote alone, whoever is closed first', () => {
  const storage = new MemoryStorage();
  const [first, second] = [new Drafts('ada', storage), new Drafts('ada', storage)];
  first.set('c1', 'of the first');
  first.save();
  second.set('c2', 'of the second');
  second.save();
  first.save();
  second.save();
  const after = new Drafts('ada', storage);
  expect([after.get('c1'), after.get('c2')]).toEqual(['of the first', 'of the second']);
});

it('does not bring back what another tab has sent', () => {
  const storage = new MemoryStorage();
  const first = new Drafts('ada', storage);
  first.set('c1', 'to be sent');
  first.save();
  const second = new Drafts('ada', storage);
  second.set('c1', '');
  second.save();
  first.stored({ key: 'parley.drafts.ada' });
  expect(first.get('c1')).toBe('');
  first.set('c2', 'another');
  first.save();
  expect(new Drafts('ada', storage).get('c1')).toBe('');
});

it('takes over what another tab stores, and keeps what was changed here since', () => {
  const storage = new MemoryStorage();
  const [first, second] = [new Drafts('ada', storage), new Drafts('ada', storage)];
  const told = vi.fn<() => void>();
  first.subscribe(told);
  first.set('c1', 'mine');
  second.set('c1', 'theirs');
  second.set('c2', 'new');
  second.save();
  first.stored({ key: 'parley.drafts.ben' });
  expect(told).toHaveBeenCalledTimes(1);
  first.stored({ key: 'parley.drafts.ada' });
  expect([first.get('c1'), first.get('c2')]).toEqual(['mine', 'new']);
  expect(told).toHaveBeenCalledTimes(2);
});

it('keeps the 200 latest', () => {
  const drafts = new Drafts('ada', new MemoryStorage());
  for (let index = 0; index <= 200; index++) drafts.set(`c${index}`, 'text');
  expect(drafts.get('c0')).toBe('');
  expect(drafts.get('c1')).toBe('text');
});

it.each(['', '{', '{"c1":"text"}', '[1,["c1"],["c1",2]]'])('begins anew where the storage holds %j', (text) => {
  const storage = new MemoryStorage();
  storage.setItem('parley.drafts.ada', text);
  expect(new Drafts('ada', storage).get('c1')).toBe('');
});

it('goes on where the storage is full', () => {
  const storage = new MemoryStorage();
  vi.spyOn(storage, 'setItem').mockImplementation(() => {
    throw new Error('full');
  });
  const drafts = new Drafts('ada', storage);
  drafts.set('c1', 'text');
  vi.runAllTimers();
  expect(drafts.get('c1')).toBe('text');
});
