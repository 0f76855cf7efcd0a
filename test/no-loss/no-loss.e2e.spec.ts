import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkHistory } from './checker.js';
import { EMBEDDED_FAULTS, EmbeddedUnderTest } from './embedded-under-test.js';
import { NoLossRun, type NoLossResult } from './no-loss-run.js';
import { proofFigures, proofGaps } from './proof.js';

const RUN_TIMEOUT_MS = 180_000;
/** On two cores that its clients and other tests keep busy; alone it takes a second. */
const READY_MS_MAX = 20_000;

let folder: string;
let result: NoLossResult;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-no-loss-'));
  const server = await EmbeddedUnderTest.prepare(join(folder, 'data'));
  result = await NoLossRun.run({ server, faults: EMBEDDED_FAULTS, paceMs: 60, calmMs: 1_500 });
}, RUN_TIMEOUT_MS);
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

describe('a server that is killed under load, at each fail point, at any time, and its database server too', () => {
  it('was really put to the test', () => {
    const figures = proofFigures(result.events);
    process.stdout.write(`no-loss: ${JSON.stringify({ ...figures, readyMs: result.readyMs.map(Math.round) })}\n`);
    const least = { acks: 1_000, acksAcrossFaults: 20, duplicatesSent: 100, duplicatesFound: 20, gapsFilled: 20 };
    // A send that fails because a store is away is told so; `internal` is for faults of our own.
    expect(Object.keys(figures.unknownReasons)).not.toContain('internal');
    expect(proofGaps(figures, { ...least, deliveries: 5_000, removals: 3, faults: EMBEDDED_FAULTS })).toEqual([]);
  });

  it('loses, doubles, renumbers and leaks nothing', async () => {
    const violations = checkHistory(result.events);
    if (violations.length > 0) {
      const file = join(tmpdir(), 'parley-no-loss-history.jsonl');
      await writeFile(file, result.events.map((event) => JSON.stringify(event)).join('\n'));
      process.stdout.write(`${violations.length} violations; the history is in ${file}\n`);
    }
    expect(violations.slice(0, 20)).toEqual([]);
    expect(result.deadLetters).toBe(0);
  });

  it('is ready again soon after each death, and stops cleanly in the end', () => {
    expect(Math.max(...result.readyMs)).toBeLessThan(READY_MS_MAX);
    expect(result.exitCode).toBe(0);
  });
});
