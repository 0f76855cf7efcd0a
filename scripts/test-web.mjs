// `npm run test:web`: builds, then drives the web client in a real Chromium against the server that was built, then one
// line with the sum. What stands behind the command goes to vitest: names of files, for instance.
import { runTool, runVitest } from './vitest-run.mjs';

const BUILD_TIMEOUT_MS = 3 * 60_000;
/** The first run may fetch Chromium as well. */
const TIMEOUT_MS = 10 * 60_000;

const isBuilt = (await runTool(['node', 'scripts/build.mjs'], BUILD_TIMEOUT_MS)) === 0;
const args = ['--config', 'vitest.web.config.ts', ...process.argv.slice(2)];
const { passed, failed } = isBuilt ? await runVitest(args, TIMEOUT_MS) : { passed: 0, failed: 1 };
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
