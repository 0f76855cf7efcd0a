import { describe, expect, it } from 'vitest';
import { ModelServer } from './testing/model-server.js';
import { TimelineWindow } from './timeline-window.js';
import type { Message } from './wire.js';

const BOB = '0190a6c4-0000-7000-8000-00000000000b';
const server = new ModelServer(['0190a6c4-0000-7000-8000-00000000000a', BOB]);
for (let i = 1; i <= 20; i++) server.post(BOB, `message ${i}`, `bob-${i}`);
const at = (seq: number): Message => server.messages[seq - 1] as Message;
const range = (from: number, to: number) => server.messages.slice(from - 1, to);
const seqs = (window: TimelineWindow) => window.items.map(({ seq }) => seq);
const five = () => new TimelineWindow(range(6, 10), true, 0, true);

describe('a window', () => {
  it('takes the next message, and none that would leave a hole', () => {
    const window = five();
    expect(window.take(at(12))).toBe(false);
    expect(window.take(at(11))).toBe(true);
    expect(window.take(at(3))).toBe(true);
    expect(seqs(window)).toEqual([6, 7, 8, 9, 10, 11]);
    expect(window.tailSeq).toBe(11);
  });

  it('takes newer versions only', () => {
    const window = five();
    const newer = { ...at(8), rev: 99, content: 'newer' };
    expect(window.refresh(newer)).toBe(true);
    expect(window.refresh({ ...newer, content: 'the same again' })).toBe(false);
    expect(window.refresh(at(8))).toBe(false);
    expect(window.find(newer.messageId)).toBe(newer);
    expect(window.refresh({ ...at(3), rev: 99 })).toBe(false);
    window.renew({ ...newer, content: 'other addresses' });
    expect(window.find(newer.messageId)?.content).toBe('other addresses');
    window.renew({ ...newer, rev: 98, content: 'older' });
    expect(window.find(newer.messageId)?.content).toBe('other addresses');
  });

  it('takes of an older page what precedes it, and nothing of one that does not reach it', () => {
    const window = five();
    window.prepend(range(1, 4), false);
    expect(seqs(window)).toEqual([6, 7, 8, 9, 10]);
    expect(window.hasBefore).toBe(true);
    window.prepend(range(3, 7), true);
    expect(seqs(window)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    window.prepend(range(1, 2), false);
    expect(window.firstSeq).toBe(1);
    expect(window.hasBefore).toBe(false);
  });

  it('takes of a newer page what follows it, and nothing of one that does not reach it', () => {
    const window = five();
    window.append(range(12, 14), false);
    expect(seqs(window)).toEqual([6, 7, 8, 9, 10]);
    expect(window.hasAfter).toBe(true);
    window.append(range(9, 13), true);
    expect(seqs(window)).toEqual([6, 7, 8, 9, 10, 11, 12, 13]);
    expect(window.hasAfter).toBe(true);
    window.append(range(14, 20), false);
    expect(window.tailSeq).toBe(20);
    expect(window.hasAfter).toBe(false);
  });

  it('of more than 20,000 messages lets the oldest go, and says that there are some', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ ...at(1), seq: i + 1, messageId: String(i + 1) }));
    const window = new TimelineWindow(many, false, 0);
    expect(window.take({ ...at(1), seq: 20_001, messageId: '20001' })).toBe(true);
    expect(window.items).toHaveLength(20_000);
    expect([window.firstSeq, window.tailSeq, window.hasBefore]).toEqual([2, 20_001, true]);
    expect(window.find('1')).toBeUndefined();
    expect(window.find('20001')?.seq).toBe(20_001);
  });
});
