import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkHistory } from '../no-loss/checker.js';
import { CLUSTER_FAULTS, CLUSTER_KILLS, ClusterUnderTest } from '../no-loss/cluster-under-test.js';
import { NoLossRun, type NoLossResult } from '../no-loss/no-loss-run.js';
import { faultFigures, proofFigures, proofGaps } from '../no-loss/proof.js';

/** On two cores that engines, clients and other tests keep busy. */
const READY_MS_MAX = 30_000;

/** `npm run test:cluster` ends a process of each kind and each engine; what it proves is less. */
const SHORT = {
  faults: CLUSTER_KILLS,
  calmMs: 1_000,
  timeoutMs: 600_000,
  least: { acks: 600, acksAcrossFaults: 20, accepted: 5, gapsFilled: 20, removals: 3 },
};
/** `npm run soak:cluster` brings every fault there is, and goes on for longer between them. */
const LONG = {
  /** `SOAK_FAULTS=kill-kafka,pause-redis` brings these alone. */
  faults: process.env['SOAK_FAULTS']?.split(',') ?? CLUSTER_FAULTS,
  calmMs: Number(process.env['SOAK_CALM_MS'] ?? 10_000),
  timeoutMs: 1_800_000,
  // Answered within eight minutes on two cores that other programs kept busy as well.
  least: { acks: 2_500, acksAcrossFaults: 100, acksDuringFaults: 250, accepted: 20, gapsFilled: 100, removals: 10 },
};
const isLong = process.env['SOAK_CLUSTER'] === 'all';
const { faults, calmMs, timeoutMs, least } = isLong ? LONG : SHORT;
const historyFile = join(process.env['SOAK_HISTORY_DIR'] ?? tmpdir(), `parley-cluster-no-loss-${Date.now()}.jsonl`);

describe('a cluster of which each process and each engine is killed under load', () => {
  let result: NoLossResult;
  beforeAll(async () => {
    const server = await ClusterUnderTest.prepare();
    // Of a long run that breaks off, its history is there as well.
    const kept = isLong && { historyFile };
    result = await NoLossRun.run({ server, faults, paceMs: 150, calmMs, ...kept });
  }, timeoutMs);

  it('was really put to the test', () => {
    const figures = proofFigures(result.events);
    process.stdout.write(`no-loss: ${JSON.stringify({ ...figures, readyMs: result.readyMs.map(Math.round) })}\n`);
    for (const fault of faultFigures(result.events)) process.stdout.write(`fault: ${JSON.stringify(fault)}\n`);
    // A send that fails because an engine is away is told so; `internal` is for faults of our own.
    expect(Object.keys(figures.unknownReasons)).not.toContain('internal');
    const more = { duplicatesSent: 100, duplicatesFound: 20, deliveries: 5 * least.acks };
    expect(proofGaps(figures, { ...least, ...more, faults })).toEqual([]);
  });

  it('loses, doubles, renumbers and leaks nothing', async () => {
    const violations = checkHistory(result.events);
    if (violations.length > 0) {
      await writeFile(historyFile, result.events.map((event) => JSON.stringify(event)).join('\n'));
      process.stdout.write(`${violations.length} violations; the history is in ${historyFile}\n`);
    }
    expect(violations.slice(0, 20)).toEqual([]);
    expect(result.deadLetters).toBe(0);
  });

  it('has each process ready again soon after its death, and stops cleanly in the end', () => {
    expect(Math.max(...result.readyMs)).toBeLessThan(READY_MS_MAX);
    expect(result.exitCode).toBe(0);
  });
});
