import { COMMAND_RECORD_VERSION, type CommandRecord } from '@parley/domain';
import { describe, expect, it } from 'vitest';
import { commandLogContract } from '../../../domain/src/ports/command-log.port.contract.js';
import { MemoryCommandLog, WAITING_MS_MAX } from './memory-command-log.js';

const PARTITIONS = 4;
const START = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 10 * partition]));

commandLogContract('memory', async () => ({
  log: new MemoryCommandLog({ partitions: PARTITIONS, pendingRecordsMax: 1_000 }),
  start: START,
}));

let made = 0;
function rename(conversationId: string): CommandRecord {
  made += 1;
  return {
    version: COMMAND_RECORD_VERSION,
    commandId: `p:${made}`,
    conversationId,
    actorId: 'someone',
    origin: { processId: 'p', connectionId: null },
    command: { type: 'rename', name: 'Name' },
    submittedAt: 0,
  };
}

describe('the command log in memory', () => {
  it('refuses records above its bound as overloaded, all of them or none', async () => {
    const log = new MemoryCommandLog({ partitions: 1, pendingRecordsMax: 3 });
    await log.append([rename('a'), rename('a')]);
    await expect(log.append([rename('a'), rename('a')])).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: expect.any(Number) as number,
    });
    expect(log.lag()).toBe(2);
    await log.read(new Map([[0, 0]]), 10, 0);
    await log.append([rename('a'), rename('a'), rename('a')]);
    expect(log.lag()).toBe(3);
  });

  it('refuses more as overloaded when what waits grows old, but only while it is getting anywhere', async () => {
    let now = 10_000;
    const log = new MemoryCommandLog({ partitions: 1, pendingRecordsMax: 100, now: () => now });
    await log.append([{ ...rename('a'), submittedAt: now }]);
    now += WAITING_MS_MAX + 1;
    await log.append([{ ...rename('a'), submittedAt: now }]);
    log.committed(new Map([[0, 0]]));
    await expect(log.append([rename('a')])).rejects.toMatchObject({ code: 'overloaded' });
    await log.read(new Map([[0, 0]]), 1, 0);
    await log.append([{ ...rename('a'), submittedAt: now }]);
    expect(log.lag()).toBe(2);
  });

  it('makes room again when records are taken back', async () => {
    const log = new MemoryCommandLog({ partitions: 1, pendingRecordsMax: 1 });
    const record = rename('a');
    await log.append([record]);
    expect(log.withdraw(record.commandId)).toBe(true);
    await log.append([rename('a')]);
    expect(log.lag()).toBe(1);
  });

  it('does not let time go back when the clock does', async () => {
    let now = 1_000;
    const log = new MemoryCommandLog({ partitions: 1, pendingRecordsMax: 10, now: () => now });
    await log.append([rename('a')]);
    const [first] = await log.read(new Map([[0, 0]]), 10, 0);
    now = 400;
    await log.append([rename('a')]);
    const [second] = await log.read(new Map([[0, 1]]), 10, 0);
    expect([first?.at, second?.at]).toEqual([1_000, 1_000]);
  });

  it('goes on from where another owner left off, without the records that it had read itself', async () => {
    const log = new MemoryCommandLog({ partitions: 1, pendingRecordsMax: 10 });
    await log.append([rename('a'), rename('a')]);
    await log.read(new Map([[0, 5]]), 10, 0);
    const later = rename('a');
    await log.append([later]);
    const records = await log.read(new Map([[0, 20]]), 10, 0);
    expect(records.map(({ offset, record }) => [offset, record?.commandId])).toEqual([[20, later.commandId]]);
  });

  it('gathers what comes while it lingers', async () => {
    const log = new MemoryCommandLog({ partitions: 1, pendingRecordsMax: 10 });
    log.lingerMs = 50;
    const reading = log.read(new Map([[0, 0]]), 10, 5_000);
    await log.append([rename('a')]);
    await new Promise((resolve) => setImmediate(resolve));
    await log.append([rename('a')]);
    expect(await reading).toHaveLength(2);
  });

  it('reads every partition in turn when one alone would fill each answer', async () => {
    const log = new MemoryCommandLog({ partitions: 2, pendingRecordsMax: 1_000 });
    const busy = Array.from({ length: 100 }, () => rename('a'));
    await log.append(busy);
    const other = ['b', 'c', 'd', 'e'].map(rename);
    await log.append(other);
    const seen = new Set<number>();
    const positions = new Map([
      [0, 0],
      [1, 0],
    ]);
    for (let i = 0; i < 2; i += 1) {
      for (const { partition, offset } of await log.read(positions, 2, 0)) {
        seen.add(partition);
        positions.set(partition, offset + 1);
      }
    }
    expect(seen).toEqual(new Set([0, 1]));
  });
});
