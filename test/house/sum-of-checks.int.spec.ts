import { chmodSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { TrialRepository, type Run } from './trial-repository.js';

const trials: TrialRepository[] = [];
afterEach(() => {
  for (const trial of trials.splice(0)) trial.remove();
});

function trialOf(files: Readonly<Record<string, string>>, ...settings: readonly string[]): TrialRepository {
  const trial = new TrialRepository(...settings);
  trials.push(trial);
  trial.write(files);
  return trial;
}

/** Both outputs in the order in which they were written, as somebody at a terminal reads them. */
const inOneStream = ['sh', '-c', '"$@" 2>&1', 'sh'] as const;
const lastLine = ({ code, output }: Run) => ({ code, line: output.trimEnd().split('\n').at(-1) });
const testFile = (body: string) => `import { expect, it } from 'vitest';\n${body}\n`;

describe('npm test', () => {
  const settings = [
    'scripts/test.mjs',
    'scripts/vitest-run.mjs',
    'scripts/tidy.mjs',
    'scripts/sources.mjs',
    'vitest.config.ts',
    'tsconfig.json',
  ];
  const run = (files: Readonly<Record<string, string>>, ...checks: readonly string[]) =>
    lastLine(
      trialOf({ 'package.json': '{ "type": "module" }', ...files }, ...settings).run(
        ...inOneStream,
        'node',
        'scripts/test.mjs',
        ...checks,
      ),
    );

  const good = testFile("it('adds', () => expect(1 + 1).toBe(2));");
  const bad = testFile("it('adds wrongly', () => expect(1 + 1).toBe(3));");

  it('counts each check and each test once', () => {
    expect(run({ 'libs/a/src/good.spec.ts': good }, 'tidy', 'tests')).toEqual({ code: 0, line: '2 passed, 0 failed' });
  });

  it('fails when a check fails, and runs the tests all the same', () => {
    const files = { 'libs/a/src/good.spec.ts': good, 'libs/a/src/utils.ts': '' };
    expect(run(files, 'tidy', 'tests')).toEqual({ code: 1, line: '1 passed, 1 failed' });
  });

  it('fails when a test fails', () => {
    const files = { 'libs/a/src/good.spec.ts': good, 'libs/a/src/bad.int.spec.ts': bad };
    expect(run(files, 'tests')).toEqual({ code: 1, line: '1 passed, 1 failed' });
  });

  it('tries a test with an engine again in CI, counts it once and says so; others are not tried again', () => {
    const flaky = testFile("let tries = 0;\nit('is late', () => expect(++tries).toBe(2));");
    const command = ['node', 'scripts/test.mjs', 'tests'] as const;
    const inCi = (name: string): Run => {
      const trial = trialOf({ 'package.json': '{ "type": "module" }', [`libs/a/src/${name}`]: flaky }, ...settings);
      return trial.run('env', 'CI=true', ...inOneStream, ...command);
    };
    const engine = inCi('late.int.spec.ts');
    expect(lastLine(engine)).toEqual({ code: 0, line: '1 passed, 0 failed' });
    expect(engine.output).toMatch(/^SECOND TRY {2}libs\/a\/src\/late\.int\.spec\.ts > is late: .*expected 1 to be 2/m);
    expect(lastLine(inCi('late.spec.ts'))).toEqual({ code: 1, line: '0 passed, 1 failed' });
    const outside = { 'libs/a/src/late.int.spec.ts': flaky };
    expect(
      lastLine(
        trialOf({ 'package.json': '{ "type": "module" }', ...outside }, ...settings).run(
          'env',
          '-u',
          'CI',
          ...inOneStream,
          ...command,
        ),
      ),
    ).toEqual({ code: 1, line: '0 passed, 1 failed' });
  }, 90_000);

  it('fails when a test file does not load', () => {
    const files = { 'libs/a/src/good.spec.ts': good, 'libs/a/src/lost.spec.ts': "import './nowhere.js';\n" };
    expect(run(files, 'tests')).toEqual({ code: 1, line: '1 passed, 1 failed' });
  });

  it('fails when every test passed but an error escaped', () => {
    const escaping = `${good}setTimeout(() => {\n  throw new Error('escaped');\n});\nawait new Promise((go) => setTimeout(go, 50));\n`;
    expect(run({ 'libs/a/src/good.spec.ts': escaping }, 'tests')).toEqual({ code: 1, line: '1 passed, 1 failed' });
  });

  it('refuses the name of a check that there is not', () => {
    expect(run({}, 'lints').code).toBe(2);
  });
});

describe('.ci/run', () => {
  /** An npm that installs nothing and says for each script what the table tells it to. */
  function ci(scripts: Readonly<Record<string, string>>, install = 'true'): { code: number; line: string | undefined } {
    const cases = Object.entries(scripts).map(([name, body]) => `"${name}") ${body} ;;`);
    const npm = `#!/bin/sh\ncase "$*" in\n"ci") ${install} ;;\n${cases.join('\n')}\n*) exit 9 ;;\nesac\n`;
    const named = Object.keys(scripts).map((name) => [name.replace(/^run /, ''), 'true']);
    const files = { 'bin/npm': npm, 'package.json': JSON.stringify({ scripts: Object.fromEntries(named) }) };
    const trial = trialOf(files, '.ci/run');
    chmodSync(join(trial.folder, 'bin', 'npm'), 0o755);
    const path = `${join(trial.folder, 'bin')}${delimiter}${process.env['PATH']}`;
    return lastLine(trial.run(...inOneStream, 'env', `PATH=${path}`, 'bash', '.ci/run'));
  }

  it('adds up the suites that there are', () => {
    const scripts = { test: 'echo "5 passed, 0 failed"', 'run test:web': 'echo "2 passed, 0 failed"' };
    expect(ci(scripts)).toEqual({ code: 0, line: '7 passed, 0 failed' });
  });

  it('fails with a suite that fails, that leaves no sum, or that ends badly with a good sum', () => {
    expect(ci({ test: 'echo "5 passed, 2 failed"; exit 1' })).toEqual({ code: 1, line: '5 passed, 2 failed' });
    expect(ci({ test: 'true' })).toEqual({ code: 1, line: '0 passed, 1 failed' });
    expect(ci({ test: 'echo "5 passed, 0 failed"; exit 1' })).toEqual({ code: 1, line: '5 passed, 1 failed' });
  });

  it('fails when the installation fails', () => {
    expect(ci({ test: 'echo "5 passed, 0 failed"' }, 'exit 1')).toEqual({ code: 1, line: '0 passed, 1 failed' });
  });
});
