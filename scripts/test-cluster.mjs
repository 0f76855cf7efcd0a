// `npm run test:cluster`: the tests on Kafka, Cassandra, Redis and PostgreSQL, then one line with the sum.
// What stands behind the command goes to vitest: names of files, for instance.
import { runVitest } from './vitest-run.mjs';

/** The first run fetches the engines as well. */
const TIMEOUT_MS = 25 * 60_000;

const args = ['--config', 'vitest.cluster.config.ts', ...process.argv.slice(2)];
const { passed, failed } = await runVitest(args, TIMEOUT_MS);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
