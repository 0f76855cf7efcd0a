import type { CommandRecord, LogRecord } from '@parley/domain';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sendRecord } from '../../../domain/src/ports/testing/send-record.js';
import { type EngineNode, type StartedEngines, startEngines } from '../../../../scripts/engines/index.mjs';
import { KafkaCommandLog, type KafkaCommandLogOptions } from './kafka-command-log.js';
import { KafkaEventStream } from './kafka-event-stream.js';
import { connectionTo, fromZero, openTestTopics, readWhile } from './test-brokers.testing.js';

const PARTITIONS = 4;
/** What a caller is promised, whatever the broker does. */
const ANSWER_MS_MAX = 3_000;
const RECOVERY_MS_MAX = 10_000;

let engines: StartedEngines;
let broker: EngineNode;

beforeAll(async () => {
  engines = await startEngines(['kafka']);
  [broker] = engines.nodes as [EngineNode];
});
afterAll(async () => engines?.stop());

async function given(options: Partial<KafkaCommandLogOptions> = {}): Promise<KafkaCommandLog> {
  const connection = connectionTo([broker.address]);
  const { commands: topic } = await openTestTopics(PARTITIONS, connection);
  const log = new KafkaCommandLog({ ...connection, topic, partitions: PARTITIONS, ...options });
  onTestFinished(() => log.close());
  return log;
}

interface Attempt {
  record: CommandRecord;
  startedAt: number;
  endedAt: number;
  error: unknown;
}

/** Appends one after the other, for each conversation, until it is stopped; a refused record is not tried again. */
function appendUntilStopped(log: KafkaCommandLog): { attempts: Attempt[]; stop: () => Promise<void> } {
  const attempts: Attempt[] = [];
  let stopped = false;
  const run = async (conversationId: string): Promise<void> => {
    while (!stopped) {
      const record = sendRecord(conversationId, 'x'.repeat(100));
      const startedAt = performance.now();
      const error = await log.append([record]).then(
        () => null,
        (refusal: unknown) => refusal,
      );
      attempts.push({ record, startedAt, endedAt: performance.now(), error });
    }
  };
  const running = Array.from({ length: 40 }, (_, i) => run(`conversation ${i}`));
  const stop = async (): Promise<void> => {
    stopped = true;
    await Promise.all(running);
  };
  onTestFinished(stop);
  return { attempts, stop };
}

async function eventually(what: string, isSo: () => boolean, withinMs = 20_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > until) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function acknowledged(attempts: readonly Attempt[]): Attempt[] {
  return attempts.filter(({ error }) => error === null);
}

/** Whoever was refused may be there as well: their number says nothing. */
function hasAll(read: readonly LogRecord[], attempts: readonly Attempt[]): boolean {
  const acks = acknowledged(attempts);
  if (read.length < acks.length) return false;
  const ids = new Set(read.map(({ record }) => record?.commandId));
  return acks.every(({ record }) => ids.has(record.commandId));
}

/** Every acknowledged record is there once, and those of a conversation stand in the order of their acknowledgement. */
function expectAllInOrder(attempts: readonly Attempt[], read: readonly LogRecord[]): void {
  const places = new Map<string, LogRecord>();
  const next = fromZero(PARTITIONS);
  for (const record of read) {
    expect(record.offset).toBe(next.get(record.partition));
    next.set(record.partition, record.offset + 1);
    const commandId = record.record?.commandId ?? '';
    expect(places.has(commandId), `there twice: ${commandId}`).toBe(false);
    places.set(commandId, record);
  }
  const lastOf = new Map<string, number>();
  for (const { record } of acknowledged(attempts).toSorted((a, b) => a.endedAt - b.endedAt)) {
    const place = places.get(record.commandId);
    expect(place, `acknowledged and lost: ${record.commandId}`).toBeDefined();
    expect(place?.offset).toBeGreaterThan(lastOf.get(record.conversationId) ?? -1);
    lastOf.set(record.conversationId, place?.offset ?? -1);
  }
}

function refusals(attempts: readonly Attempt[]): unknown[] {
  return attempts.flatMap(({ error }) => error ?? []);
}

function longestMs(attempts: readonly Attempt[]): number {
  return Math.max(...attempts.map(({ startedAt, endedAt }) => endedAt - startedAt));
}

describe('a broker that is killed', () => {
  it('loses and reorders no acknowledged record, and takes records again within ten seconds of its return', async () => {
    const troubles: string[] = [];
    const log = await given({ onTrouble: (what) => troubles.push(what) });
    const seen: LogRecord[] = [];
    const positions = fromZero(PARTITIONS);
    let reading = true;
    const reader = (async () => {
      while (reading) {
        for (const record of await log.read(positions, 1_000, 100)) {
          seen.push(record);
          positions.set(record.partition, record.offset + 1);
        }
      }
    })();
    const load = appendUntilStopped(log);
    await eventually('appends run', () => acknowledged(load.attempts).length > 2_000);

    await broker.kill();
    await eventually('appends are refused', () => load.attempts.some(({ error }) => error !== null));
    await broker.start();
    const backAt = performance.now();
    await eventually('appends run again', () => load.attempts.at(-1)?.error === null);
    const [first] = acknowledged(load.attempts).filter(({ endedAt }) => endedAt > backAt);
    expect((first?.endedAt ?? Infinity) - backAt).toBeLessThan(RECOVERY_MS_MAX);
    await eventually('appends run', () => acknowledged(load.attempts).filter((a) => a.endedAt > backAt).length > 2_000);
    await load.stop();

    for (const error of refusals(load.attempts)) expect(error).toMatchObject({ code: 'store_unavailable' });
    expect(longestMs(load.attempts)).toBeLessThan(ANSWER_MS_MAX);
    expect(troubles.length).toBeGreaterThan(0);
    await eventually('the reader has all', () => hasAll(seen, load.attempts));
    reading = false;
    await reader;
    expectAllInOrder(load.attempts, seen);
    const key = ({ partition, offset }: LogRecord): string => `${partition}:${offset}`;
    const places = new Map(seen.map((record) => [key(record), record]));
    const again = await readWhile(
      log,
      fromZero(PARTITIONS),
      (all) => all.filter((r) => places.has(key(r))).length >= seen.length,
    );
    for (const record of again.filter((one) => places.has(key(one)))) expect(record).toEqual(places.get(key(record)));
    expect(again.length).toBeGreaterThanOrEqual(seen.length);
  }, 90_000);
});

describe('a broker that stands still', () => {
  it('keeps nobody waiting for longer than three seconds, and goes on where it was when it moves again', async () => {
    const log = await given();
    const load = appendUntilStopped(log);
    await eventually('appends run', () => acknowledged(load.attempts).length > 500);
    broker.pause();
    onTestFinished(() => broker.resume());
    const pausedAt = performance.now();
    await eventually('appends are refused, again and again', () => refusals(load.attempts).length > 120);
    const startedAt = performance.now();
    expect(await log.read(fromZero(PARTITIONS), 10, 500)).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(ANSWER_MS_MAX);
    broker.resume();
    const backAt = performance.now();
    await eventually('appends run again', () => load.attempts.at(-1)?.error === null);
    const [first] = acknowledged(load.attempts).filter(({ startedAt: at }) => at > pausedAt);
    expect((first?.endedAt ?? Infinity) - backAt).toBeLessThan(RECOVERY_MS_MAX);
    await load.stop();
    expect(longestMs(load.attempts)).toBeLessThan(ANSWER_MS_MAX);
    for (const error of refusals(load.attempts))
      expect(error).toMatchObject({ code: 'store_unavailable', retryAfterMs: 1_000 });
    const read = await readWhile(log, fromZero(PARTITIONS), (all) => hasAll(all, load.attempts));
    expectAllInOrder(load.attempts, read);
  }, 90_000);

  it('lets only so many records wait: more are refused at once as overloaded', async () => {
    const log = await given({ waitingRecordsMax: 50 });
    await log.append([sendRecord('first')]);
    broker.pause();
    onTestFinished(() => broker.resume());
    const answers = Array.from({ length: 60 }, (_, i) =>
      log.append([sendRecord(`conversation ${i}`)]).then(
        () => 'taken',
        ({ code }: { code: string }) => code,
      ),
    );
    const startedAt = performance.now();
    expect(await answers[59]).toBe('overloaded');
    expect(performance.now() - startedAt).toBeLessThan(100);
    expect((await Promise.all(answers)).filter((code) => code === 'overloaded')).toHaveLength(10);
    expect(performance.now() - startedAt).toBeLessThan(ANSWER_MS_MAX);
  });

  it('does not keep a process from ending: closing takes a few seconds at most', async () => {
    const connection = connectionTo([broker.address]);
    const { commands, events } = await openTestTopics(PARTITIONS, connection);
    const log = new KafkaCommandLog({ ...connection, topic: commands, partitions: PARTITIONS });
    const stream = new KafkaEventStream({ ...connection, topic: events });
    await log.append([sendRecord('first')]);
    await log.read(fromZero(PARTITIONS), 10, 1_000);
    expect(await stream.read(0, null, 10)).toEqual([]);
    broker.pause();
    onTestFinished(() => broker.resume());
    const refusal = log.append([sendRecord('second')]).catch((error: unknown) => error);
    const startedAt = performance.now();
    await expect(stream.read(0, null, 10)).rejects.toMatchObject({ code: 'store_unavailable' });
    await Promise.all([log.close(), stream.close()]);
    expect(await refusal).toMatchObject({ code: 'store_unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(12_000);
  });
});
