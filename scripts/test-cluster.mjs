// `npm run test:cluster`: the tests on Kafka, Cassandra, Redis and PostgreSQL, then one line with the sum.
// What stands behind the command goes to vitest: names of files, for instance.
import { runVitest } from './vitest-run.mjs';

/** The first run fetches the engines as well. */
const TIMEOUT_MS = 25 * 60_000;

const config = ['--config', 'vitest.cluster.config.ts'];
const asked = process.argv.slice(2);
// The crash run has engines of its own, and measures waits: nothing runs beside it.
const runs =
  asked.length > 0
    ? [asked]
    : [
        ['--project', 'engines', '--project', 'conformance'],
        ['--project', 'crash'],
      ];
let passed = 0;
let failed = 0;
for (const args of runs) {
  const sum = await runVitest([...config, ...args], TIMEOUT_MS);
  passed += sum.passed;
  failed += sum.failed;
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
