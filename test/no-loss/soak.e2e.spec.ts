import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkHistory } from './checker.js';
import { EMBEDDED_FAULTS, EmbeddedUnderTest } from './embedded-under-test.js';
import { NoLossRun } from './no-loss-run.js';
import { proofFigures, proofGaps } from './proof.js';

const ROUNDS_MAX = 50;
const ROUND_TIMEOUT_MS = 240_000;

/** `npm run soak:no-loss`, or `SOAK_ROUNDS=10 npm run soak:no-loss`; no part of `npm test`: a round takes a minute. */
const asked = process.env['SOAK_ROUNDS'];
const rounds = Math.min(ROUNDS_MAX, Number(asked));

it.runIf(asked !== undefined)(
  'loses nothing, round after round of every fault',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-soak-'));
    const files = process.env['SOAK_HISTORY_DIR'] ?? join(tmpdir(), 'parley-soak-history');
    await mkdir(files, { recursive: true });
    const faults = Array.from({ length: rounds }, () => EMBEDDED_FAULTS).flat();
    const historyFile = join(files, `${Date.now()}.jsonl`);
    const server = await EmbeddedUnderTest.prepare(join(folder, 'data'));
    const run = { server, faults, paceMs: 25, calmMs: 4_000, historyFile };
    const { events, readyMs, exitCode, deadLetters } = await NoLossRun.run(run);
    const figures = proofFigures(events);
    process.stdout.write(`soak: ${JSON.stringify({ ...figures, readyMs: readyMs.map(Math.round), historyFile })}\n`);
    const least = { acks: 2_500 * rounds, acksAcrossFaults: 20 * rounds, duplicatesSent: 100, gapsFilled: 20 * rounds };
    expect(proofGaps(figures, { ...least, removals: 5 * rounds, faults })).toEqual([]);
    expect(checkHistory(events).slice(0, 20)).toEqual([]);
    expect({ exitCode, deadLetters }).toEqual({ exitCode: 0, deadLetters: 0 });
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  },
  ROUND_TIMEOUT_MS * rounds,
);
