// One run of vitest with a sum that can be trusted.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { root } from './sources.mjs';

/** What the tools of this repository run in: its own programs first, and nothing that colours their words. */
const toolEnvironment = {
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
  NO_COLOR: '1',
  FORCE_COLOR: undefined,
};

/**
 * Runs a tool to the end or to the time-out.
 * @returns 0, or 1 for every other exit code, a time-out, a signal, and a tool that cannot be started
 */
export function runTool([command, ...args], timeoutMs) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, env: toolEnvironment, stdio: ['ignore', 'inherit', 'inherit'] });
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

/**
 * Runs vitest with these arguments and counts. A run that leaves no report has failed once.
 * @returns how many tests passed and failed
 */
export async function runVitest(args, timeoutMs) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const output = join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`];
    const code = await runTool(['vitest', 'run', ...args, ...reporters], timeoutMs);
    const report = JSON.parse(readFileSync(output, 'utf8'));
    tellSecondTries(report);
    return countTests(report, code);
  } catch (error) {
    process.stdout.write(`The tests left no report: ${error.message}\n`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What vitest itself says of no test that passed: that it failed before. */
function tellSecondTries({ testResults }) {
  for (const { name, assertionResults } of testResults) {
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status !== 'passed' || failureMessages.length === 0) continue;
      const [reason] = failureMessages[0].split('\n');
      process.stdout.write(`SECOND TRY  ${relative(root, name)} > ${fullName}: ${reason}\n`);
    }
  }
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
