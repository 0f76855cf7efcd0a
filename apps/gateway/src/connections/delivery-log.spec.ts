import { describe, expect, it } from 'vitest';
import { DeliveryLog, TRACKS_PER_CONNECTION_MAX } from './delivery-log.js';

const STEPS = [5_000, 10_000, 20_000];
const overdue = (log: DeliveryLog, now: number): string[] =>
  [...log.overdue(now, STEPS)].map(({ conversationId }) => conversationId);

describe('the log of one connection', () => {
  it('finds nothing overdue for a device that has never acked', () => {
    const log = new DeliveryLog();
    log.sent('a', 1, 0);
    expect(overdue(log, 60_000)).toEqual([]);
    log.acked('b', 1, 0);
    expect(overdue(log, 60_000)).toEqual(['a']);
  });

  it('counts from the oldest message that is not acked', () => {
    const log = new DeliveryLog();
    log.sent('a', 1, 0);
    log.sent('a', 2, 4_000);
    log.acks = true;
    expect(overdue(log, 4_999)).toEqual([]);
    expect(overdue(log, 5_000)).toEqual(['a']);
    log.acked('a', 1, 5_000);
    expect(overdue(log, 9_999)).toEqual([]);
    log.acked('a', 2, 9_999);
    log.sent('a', 3, 50_000);
    expect(overdue(log, 54_999)).toEqual([]);
  });

  it('takes acks forward only, and no further than what was sent', () => {
    const log = new DeliveryLog();
    log.sent('a', 3, 0);
    log.acked('a', 99, 0);
    log.sent('a', 4, 0);
    log.acked('a', 2, 0);
    expect([...log.overdue(5_000, STEPS)]).toMatchObject([{ sentSeq: 4, ackedSeq: 3 }]);
  });

  it('knows what this connection was sent', () => {
    const log = new DeliveryLog();
    log.sent('a', 5, 0);
    log.sent('a', 7, 0);
    expect([4, 5, 7, 8].map((seq) => log.wasSent('a', seq))).toEqual([false, true, true, false]);
    log.forget('a');
    expect(log.wasSent('a', 5)).toBe(false);
  });

  it('forgets what was acked when it is full, and says so when nothing was', () => {
    const log = new DeliveryLog();
    for (let n = 0; n < TRACKS_PER_CONNECTION_MAX; n++) expect(log.sent(`c${n}`, 1, 0)).toBe(true);
    log.acked('c7', 1, 0);
    expect(log.sent('next', 1, 0)).toBe(true);
    expect(log.wasSent('c7', 1)).toBe(false);
    expect(log.sent('one too many', 1, 0)).toBe(false);
    expect([log.wasSent('c8', 1), log.wasSent('one too many', 1)]).toEqual([false, true]);
  });
});
