/**
 * A process for the tests that need several of them: `node holder-process.ts lock|start|exit DATA_DIR`. It prints one line of
 * JSON about how it went, and ends in good order when its standard input ends; `exit` starts the server and exits without stopping it.
 */
import { once } from 'node:events';
import { DataDirLock } from '../data-dir-lock.js';
import { startEmbeddedPostgres } from '../embedded-postgres.js';

const [what, dataDir = ''] = process.argv.slice(2);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function hold(): Promise<() => Promise<void>> {
  if (what === 'lock') {
    const lock = await DataDirLock.acquire(dataDir);
    say({ pid: process.pid });
    return () => lock.release();
  }
  const server = await startEmbeddedPostgres({ dataDir, log: () => undefined });
  server.onUnexpectedExit((why) => say({ unexpected: why }));
  say({ pid: process.pid, serverPid: server.pid, url: server.url });
  if (what === 'exit') process.exit(0);
  return () => server.stop();
}

try {
  const giveBack = await hold();
  process.stdin.resume();
  await once(process.stdin, 'end');
  await giveBack();
  say({ stopped: true });
} catch (error) {
  const { name, message } = error as Error;
  say({ refused: name, message });
  process.exitCode = 1;
}
