// `npm test`: every check, then every test, then one line with the sum. `node scripts/test.mjs NAME…` runs only those.
import { runTool, runVitest } from './vitest-run.mjs';

const CHECK_TIMEOUT_MS = 180_000;
const TESTS_TIMEOUT_MS = 20 * 60_000;

const checks = [
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['node', 'scripts/types.mjs'] },
  {
    name: 'dependencies',
    command: ['depcruise', '--config', '.dependency-cruiser.cjs', 'apps', 'libs', 'packages', 'test'],
  },
  { name: 'unused', command: ['knip'] },
  { name: 'tidy', command: ['node', 'scripts/tidy.mjs'] },
  { name: 'build', command: ['node', 'scripts/build.mjs'] },
];

const outcomes = [];
let passed = 0;
let failed = 0;

async function runCheck({ name, command }) {
  process.stdout.write(`\n── ${name}\n`);
  const began = performance.now();
  const isGood = (await runTool(command, CHECK_TIMEOUT_MS)) === 0;
  if (isGood) passed += 1;
  else failed += 1;
  outcomes.push(`${isGood ? 'passed' : 'FAILED'}  ${name}  ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

async function runTests() {
  process.stdout.write('\n── tests\n');
  const began = performance.now();
  const counted = await runVitest([], TESTS_TIMEOUT_MS);
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
