import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { document, ROOT } from './documents.js';
import { appliedWalkThrough } from './walk-through.js';

const COPIED = [
  'apps',
  'libs',
  'packages',
  'scripts',
  'test/clients',
  'test/faults',
  'test/push',
  'test/media',
  'test/no-loss/server-process.ts',
  'test/cluster/certificates.ts',
  'tsconfig.json',
  'vitest.config.ts',
  'package.json',
];
const PACKAGES = 'node_modules';
/** The copy is checked and started from cold: minutes, where other work takes the processors. */
const COLD_TIMEOUT_MS = 240_000;

describe.each([
  // Beside its own: the suite of the port whose state it changes.
  ['docs/extending.md', 4, ['libs/infra/src/postgres/pipeline-ports.int.spec.ts']],
  ['docs/extending-handlers.md', 1, []],
])('the walk-through of %s, applied to a copy of this repository', (page, testFiles, others) => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-extending-'));
  const files = appliedWalkThrough(document(page));

  beforeAll(() => {
    for (const path of COPIED) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    symlinkSync(join(ROOT, PACKAGES), join(folder, PACKAGES));
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What the program said, or nothing when it ended well. */
  function complaintsOf(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', VITEST: undefined },
    });
    return status === 0 ? '' : `${stdout}${stderr}`;
  }

  it(
    'type-checks',
    () => {
      expect(complaintsOf(`${PACKAGES}/ts7/bin/tsc`, '--noEmit', '-p', 'tsconfig.json')).toBe('');
    },
    COLD_TIMEOUT_MS,
  );

  it(
    'passes its own tests',
    () => {
      const tests = [...files.keys()].filter((path) => path.endsWith('.spec.ts'));
      expect(tests).toHaveLength(testFiles);
      expect(complaintsOf(`${PACKAGES}/vitest/vitest.mjs`, 'run', ...tests, ...others)).toBe('');
    },
    COLD_TIMEOUT_MS,
  );

  it('is formatted as the rest', () => {
    const made = [...files.keys()];
    const settings = ['--config', join(ROOT, '.prettierrc')];
    expect(complaintsOf(`${PACKAGES}/prettier/bin/prettier.cjs`, ...settings, '--check', ...made)).toBe('');
  });
});
