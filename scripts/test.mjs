// `npm test`: every check, then every test, then one line with the sum. `node scripts/test.mjs NAME…` runs only those.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './sources.mjs';

const CHECK_TIMEOUT_MS = 180_000;
const TESTS_TIMEOUT_MS = 13 * 60_000;

const checks = [
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['node', 'node_modules/ts7/bin/tsc', '--noEmit', '-p', 'tsconfig.json'] },
  {
    name: 'dependencies',
    command: ['depcruise', '--config', '.dependency-cruiser.cjs', 'apps', 'libs', 'packages', 'test'],
  },
  { name: 'unused', command: ['knip'] },
  { name: 'tidy', command: ['node', 'scripts/tidy.mjs'] },
  { name: 'build', command: ['node', 'scripts/build.mjs'] },
];

const env = {
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
  NO_COLOR: '1',
  FORCE_COLOR: undefined,
};

/** Runs to the end or to the time-out; resolves with the exit code, where a time-out or a signal is 1. */
function run([command, ...args], timeoutMs) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
    const timer = setTimeout(() => {
      process.stdout.write(`${command} was stopped after ${timeoutMs / 1000} s.\n`);
      child.kill('SIGKILL');
    }, timeoutMs);
    child.on('error', (error) => {
      process.stdout.write(`${command} could not be started: ${error.message}\n`);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      done(code === 0 ? 0 : 1);
    });
  });
}

const outcomes = [];
let passed = 0;
let failed = 0;

async function runCheck({ name, command }) {
  process.stdout.write(`\n── ${name}\n`);
  const began = performance.now();
  const isGood = (await run(command, CHECK_TIMEOUT_MS)) === 0;
  if (isGood) passed += 1;
  else failed += 1;
  outcomes.push(`${isGood ? 'passed' : 'FAILED'}  ${name}  ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** A file that does not load has no tests to count, and a worker that dies leaves none behind: both are failures. */
function countTests(report, code) {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  const failures = report.numFailedTests + brokenFiles.length;
  const isUnexplained = code !== 0 && failures === 0;
  return { passed: report.numPassedTests, failed: failures + (isUnexplained ? 1 : 0) };
}

async function runTests() {
  process.stdout.write('\n── tests\n');
  const folder = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const output = join(folder, 'report.json');
  const began = performance.now();
  let counted = { passed: 0, failed: 1 };
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
    const code = await run(['vitest', 'run', ...reporters], TESTS_TIMEOUT_MS);
    counted = countTests(JSON.parse(readFileSync(output, 'utf8')), code);
  } catch (error) {
    process.stdout.write(`The tests left no report: ${error.message}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  passed += counted.passed;
  failed += counted.failed;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  outcomes.push(
    `${counted.failed === 0 ? 'passed' : 'FAILED'}  tests (${counted.passed} + ${counted.failed})  ${seconds} s`,
  );
}

const wanted = process.argv.slice(2);
const known = new Set([...checks.map(({ name }) => name), 'tests']);
const unknown = wanted.filter((name) => !known.has(name));
if (unknown.length > 0) {
  process.stderr.write(`No such check: ${unknown.join(', ')}. There are: ${[...known].join(', ')}.\n`);
  process.exit(2);
}
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);
for (const check of checks) if (isWanted(check.name)) await runCheck(check);
if (isWanted('tests')) await runTests();

process.stdout.write(`\n${outcomes.join('\n')}\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
