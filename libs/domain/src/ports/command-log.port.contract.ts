import { afterEach, describe, expect, it } from 'vitest';
import { partitionOf } from '../conversation/partitioning.js';
import { type CommandLog, type LogRecord, LogTruncated, type Positions } from './command-log.port.js';
import { sendRecord } from './testing/send-record.js';

export interface CommandLogUnderTest {
  log: CommandLog;
  /** Where each partition of this (empty) log begins. */
  start: Positions;
  close?: () => Promise<void>;
}

const CONVERSATIONS = Array.from({ length: 24 }, (_, i) => `0190a6c4-5f3e-7a41-9d2b-${String(i).padStart(12, '0')}`);
const [FIRST = ''] = CONVERSATIONS;
const READ_TIMEOUT_MS = 10_000;

/** Reads until that many records are there, moving on behind each answer. */
async function readAll(log: CommandLog, from: Positions, records: number): Promise<LogRecord[]> {
  const positions = new Map(from);
  const all: LogRecord[] = [];
  const until = Date.now() + READ_TIMEOUT_MS;
  while (all.length < records && Date.now() < until) {
    for (const record of await log.read(positions, 1_000, 200)) {
      all.push(record);
      positions.set(record.partition, record.offset + 1);
    }
  }
  return all;
}

function idsOf(records: readonly LogRecord[]): (string | undefined)[] {
  return records.map(({ record }) => record?.commandId);
}

/** What every command log keeps to. `make` gives a new, empty log. */
export function commandLogContract(name: string, make: () => Promise<CommandLogUnderTest>): void {
  describe(`command log: ${name}`, () => {
    const opened: CommandLogUnderTest[] = [];
    const open = async (): Promise<CommandLogUnderTest> => {
      const made = await make();
      opened.push(made);
      return made;
    };
    afterEach(async () => {
      for (const { close } of opened.splice(0)) await close?.();
    });

    it('reads the records of a partition in the order of their appending, under consecutive offsets', async () => {
      const { log, start } = await open();
      const partition = partitionOf(FIRST, log.partitions);
      const records = Array.from({ length: 50 }, () => sendRecord(FIRST));
      for (let i = 0; i < records.length; i += 5) await log.append(records.slice(i, i + 5));
      const read = await readAll(log, start, records.length);
      expect(idsOf(read)).toEqual(records.map(({ commandId }) => commandId));
      const first = start.get(partition) ?? Number.NaN;
      expect(read.map(({ offset }) => offset)).toEqual(records.map((_, i) => first + i));
    });

    it('puts a record into the partition of its conversation, also when several conversations are appended at once', async () => {
      const { log, start } = await open();
      const records = CONVERSATIONS.map((conversationId) => sendRecord(conversationId));
      await log.append(records);
      const read = await readAll(log, start, records.length);
      expect(read).toHaveLength(records.length);
      for (const { partition, record } of read) {
        expect(partition).toBe(partitionOf(record?.conversationId ?? '', log.partitions));
      }
    });

    it('reads an offset again as the same record with the same time', async () => {
      const { log, start } = await open();
      await log.append(CONVERSATIONS.map((conversationId) => sendRecord(conversationId)));
      const first = await readAll(log, start, CONVERSATIONS.length);
      await log.append([sendRecord(FIRST)]);
      const again = await readAll(log, start, CONVERSATIONS.length + 1);
      const byPlace = new Map(again.map((record) => [`${record.partition}:${record.offset}`, record]));
      for (const record of first) expect(byPlace.get(`${record.partition}:${record.offset}`)).toEqual(record);
    });

    it('gives back what was appended, with the text that was journaled', async () => {
      const { log, start } = await open();
      const record = sendRecord(FIRST, 'Zeichen "und" 👍\n\u0001');
      await log.append([record]);
      const [read] = await readAll(log, start, 1);
      expect(read?.record).toEqual(record);
      expect(JSON.parse(read?.payload ?? 'null')).toEqual(record);
    });

    it('stamps times that never go back in a partition', async () => {
      const { log, start } = await open();
      const records = Array.from({ length: 20 }, () => sendRecord(FIRST));
      const read: LogRecord[] = [];
      let positions = start;
      for (const record of records) {
        await log.append([record]);
        const [next] = await readAll(log, positions, 1);
        if (!next) break;
        read.push(next);
        positions = new Map([...positions, [next.partition, next.offset + 1]]);
      }
      const times = read.map(({ at }) => at);
      expect(times).toHaveLength(records.length);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    });

    it('answers at most as many records as asked for, the oldest of a partition first', async () => {
      const { log, start } = await open();
      const records = Array.from({ length: 10 }, () => sendRecord(FIRST));
      await log.append(records);
      await readAll(log, start, records.length);
      const page = await log.read(start, 3, READ_TIMEOUT_MS);
      expect(idsOf(page)).toEqual(records.slice(0, 3).map(({ commandId }) => commandId));
    });

    it('waits for the first record, and answers nothing when none comes in time', async () => {
      const { log, start } = await open();
      expect(await log.read(start, 10, 20)).toEqual([]);
      const reading = readAll(log, start, 1);
      const record = sendRecord(FIRST);
      await log.append([record]);
      expect(idsOf(await reading)).toEqual([record.commandId]);
    });

    it('reads only the partitions that it is asked for', async () => {
      const { log, start } = await open();
      const records = CONVERSATIONS.map((conversationId) => sendRecord(conversationId));
      await log.append(records);
      const partition = partitionOf(FIRST, log.partitions);
      const mine = records.filter(({ conversationId }) => partitionOf(conversationId, log.partitions) === partition);
      const read = await readAll(log, new Map([[partition, start.get(partition) ?? 0]]), mine.length);
      expect(idsOf(read)).toEqual(mine.map(({ commandId }) => commandId));
      expect(mine.length).toBeLessThan(records.length);
    });

    it('goes on behind committed records', async () => {
      const { log, start } = await open();
      const [one, two] = [sendRecord(FIRST), sendRecord(FIRST)];
      await log.append([one]);
      const [read] = await readAll(log, start, 1);
      const next = new Map([...start, [read?.partition ?? -1, (read?.offset ?? 0) + 1]]);
      log.committed(next);
      await log.append([two]);
      const rest = await readAll(log, next, 1);
      expect(idsOf(rest)).toEqual([two.commandId]);
      expect(rest[0]?.offset).toBe((read?.offset ?? 0) + 1);
    });

    it('takes a record back only while nobody can decide it', async () => {
      const { log, start } = await open();
      const [one, two] = [sendRecord(FIRST), sendRecord(FIRST)];
      await log.append([one, two]);
      const withdrawn = log.withdraw(one.commandId);
      expect(withdrawn).toBe(log.durableAt === 'commit');
      const expected = withdrawn ? [two.commandId] : [one.commandId, two.commandId];
      expect(idsOf(await readAll(log, start, expected.length))).toEqual(expected);
      expect(log.withdraw(two.commandId)).toBe(false);
      expect(log.withdraw('process:unknown')).toBe(false);
    });

    it('refuses an offset outside of what it holds, unless it holds only what is not committed', async () => {
      const { log, start } = await open();
      await log.append([sendRecord(FIRST)]);
      const [read] = await readAll(log, start, 1);
      const partition = read?.partition ?? -1;
      const end = (read?.offset ?? 0) + 1;
      const outside = new Map([[partition, end + 5]]);
      const truncated = new LogTruncated(partition, end + 5, { start: start.get(partition) ?? Number.NaN, end });
      const commits = log.durableAt === 'commit';
      const answer = await log.read(outside, 10, commits ? 20 : READ_TIMEOUT_MS).catch((error: unknown) => error);
      expect(answer).toEqual(commits ? [] : truncated);
    });

    it('shows an applied record again as it was read, if it keeps any', async () => {
      const { log, start } = await open();
      await log.append(CONVERSATIONS.map((conversationId) => sendRecord(conversationId)));
      const read = await readAll(log, start, CONVERSATIONS.length);
      const last = new Map(read.map((record) => [record.partition, record]));
      const places = new Map([...last].map(([partition, { offset }]) => [partition, offset]));
      log.committed(new Map([...places].map(([partition, offset]) => [partition, offset + 1])));
      const shown = [...(await log.payloadsAt(places))];
      const kept = log.durableAt === 'commit' ? [] : [...last].map(([partition, { payload }]) => [partition, payload]);
      const byPartition = ([one]: unknown[], [other]: unknown[]): number => Number(one) - Number(other);
      expect(shown.toSorted(byPartition)).toEqual(kept.toSorted(byPartition));
    });

    it('shows no record that is not there', async () => {
      const { log, start } = await open();
      await log.append([sendRecord(FIRST)]);
      const [read] = await readAll(log, start, 1);
      const end = { partition: read?.partition ?? -1, offset: (read?.offset ?? 0) + 1 };
      const range = { start: start.get(end.partition) ?? Number.NaN, end: end.offset };
      const truncated = new LogTruncated(end.partition, end.offset, range);
      const answer = await log.payloadsAt(new Map([[end.partition, end.offset]])).catch((error: unknown) => error);
      expect(answer).toEqual(log.durableAt === 'commit' ? new Map() : truncated);
    });

    it('tells how many records wait to be read', async () => {
      const { log, start } = await open();
      expect(log.lag()).toBe(0);
      const records = Array.from({ length: 7 }, () => sendRecord(FIRST));
      await log.append(records);
      // A log of its own may take a while to say so; what waits in memory is known.
      expect(log.lag()).toBeGreaterThanOrEqual(log.durableAt === 'commit' ? records.length : 0);
      await readAll(log, start, records.length);
      expect(log.lag()).toBe(0);
    });

    it('tells where the partitions end that are read', async () => {
      const { log, start } = await open();
      const records = Array.from({ length: 7 }, () => sendRecord(FIRST));
      await log.append(records);
      const read = await readAll(log, start, records.length);
      const grown = (partition: number): number => read.filter((each) => each.partition === partition).length;
      const expected = [...start].map(([partition, offset]) => [partition, offset + grown(partition)] as const);
      expect(log.ends()).toEqual(new Map(expected));
    });
  });
}
