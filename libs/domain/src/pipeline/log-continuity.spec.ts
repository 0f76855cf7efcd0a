import { describe, expect, it } from 'vitest';
import type { Positions } from '../ports/command-log.port.js';
import type { PartitionProgress } from '../ports/partition-leases.port.js';
import { checkSameLog, LogReplaced } from './log-continuity.js';
import { recordHash } from './record-hash.js';

/** A log that shows these payloads, and keeps what it was asked for. */
function logOf(payloads: Record<number, string>, durableAt: 'append' | 'commit' = 'append') {
  const asked: (readonly [number, number])[] = [];
  const payloadsAt = async (places: Positions): Promise<Map<number, string>> => {
    asked.push(...places);
    return new Map(Object.entries(payloads).map(([partition, payload]) => [Number(partition), payload]));
  };
  return { durableAt, payloadsAt, asked };
}

function progressOf(partition: number, nextOffset: number, applied: string | null): PartitionProgress {
  const lastRecordHash = applied === null ? null : recordHash(applied);
  return { partition, epoch: 1, nextOffset, clock: { ms: 0, counter: 0 }, lastRecordHash };
}

describe('whoever takes partitions over', () => {
  it('goes on when the last applied record of each is where it was', async () => {
    const log = logOf({ 1: 'one', 4: 'four' });
    await checkSameLog(log, [progressOf(1, 10, 'one'), progressOf(4, 3, 'four')]);
    expect(log.asked).toEqual([
      [1, 9],
      [4, 2],
    ]);
  });

  it('stops when another record is there', async () => {
    const log = logOf({ 1: 'one', 4: 'another' });
    const refused = checkSameLog(log, [progressOf(1, 10, 'one'), progressOf(4, 3, 'four')]);
    await expect(refused).rejects.toEqual(new LogReplaced(4, 2));
  });

  it('goes on when the record is no longer kept', async () => {
    const log = logOf({});
    await checkSameLog(log, [progressOf(1, 10, 'one')]);
    expect(log.asked).toEqual([[1, 9]]);
  });

  it('asks a log for nothing before the first record, nor one that keeps only what is not committed', async () => {
    const [fresh, embedded] = [logOf({}), logOf({ 1: 'another' }, 'commit')];
    await checkSameLog(fresh, [progressOf(1, 0, null)]);
    await checkSameLog(embedded, [progressOf(1, 10, 'one')]);
    expect([...fresh.asked, ...embedded.asked]).toEqual([]);
  });
});
