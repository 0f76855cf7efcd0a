import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError, systemErrorCode } from './embedded-postgres-error.js';
import { removeLeftSocketDir } from './server-endpoint.js';

const PID_FILE = 'postmaster.pid';
const POLL_MS = 10;
/** After SIGQUIT the postmaster itself waits 5 s for its children before it kills them. */
export const IMMEDIATE_STOP_MS_MAX = 7_000;

/** What the server notes about itself in its data folder. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  /** Empty when it has none. */
  readonly socketDir: string;
  readonly status: string;
}

type Identity = 'ours' | 'other' | 'gone' | 'unknown';

/** @returns undefined when there is no such file, or the server is just writing it. */
export async function readPostmasterFile(clusterDir: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(clusterDir, PID_FILE), 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!(pid > 0)) return undefined;
  return { pid, port: Number.parseInt(lines[3] ?? '', 10), socketDir: lines[4] ?? '', status: lines[7] ?? '' };
}

/**
 * Deals with a server that outlived the process which had started it. To be called with the data folder's lock held:
 * only then is a running server of this folder certainly nobody's.
 *
 * It is stopped rather than taken over, because only the parent of a process learns of its end. A process id that now
 * belongs to some other program is recognised, and left alone.
 * @returns a sentence for the log when there was something to do.
 * @throws EmbeddedPostgresError when the server cannot be stopped.
 */
export async function stopOrphan(clusterDir: string, stopTimeoutMs: number): Promise<string | undefined> {
  const left = await readPostmasterFile(clusterDir);
  if (!left) return undefined;
  const identity = await identify(left.pid, clusterDir);
  if (identity === 'unknown') {
    throw new EmbeddedPostgresError(
      `Process ${left.pid} may be a PostgreSQL server on ${clusterDir} that an earlier Parley left, but this cannot be told ` +
        `for certain; stop that process, or remove ${join(clusterDir, PID_FILE)} if it is something else.`,
    );
  }
  if (identity === 'ours') await stopProcess(left.pid, clusterDir, stopTimeoutMs);
  else await disown(clusterDir);
  if (left.socketDir !== '') await removeLeftSocketDir(left.socketDir);
  if (identity === 'ours') return `Stopped the database server (pid ${left.pid}) that an earlier run had left behind.`;
  return 'The database server of an earlier run ended without a shutdown; its log will be replayed.';
}

async function identify(pid: number, clusterDir: string): Promise<Identity> {
  if (!isAlive(pid)) return 'gone';
  return process.platform === 'linux' ? identifyByProc(pid, clusterDir) : identifyByPs(pid, clusterDir);
}

async function identifyByProc(pid: number, clusterDir: string): Promise<Identity> {
  const processStat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // "123 (name) S …": the name may hold anything, a closing bracket included.
  const name = processStat.slice(processStat.indexOf('(') + 1, processStat.lastIndexOf(')'));
  const state = processStat.slice(processStat.lastIndexOf(')') + 2).charAt(0);
  if (processStat === '' || state === 'Z' || state === 'X') return 'gone';
  if (name !== 'postgres') return 'other';
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  // Children of a server write "postgres: role database …" over their command line.
  if (words[0]?.startsWith('postgres: ')) return 'other';
  const flag = words.indexOf('-D');
  if (flag >= 0 && words[flag + 1] === clusterDir) return 'ours';
  // The folder may have been renamed under the running server: its working directory follows, its arguments do not.
  try {
    const [theirs, ours] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(clusterDir)]);
    return theirs.dev === ours.dev && theirs.ino === ours.ino ? 'ours' : 'other';
  } catch {
    return isAlive(pid) ? 'unknown' : 'gone';
  }
}

async function identifyByPs(pid: number, clusterDir: string): Promise<Identity> {
  const command = await new Promise<string>((resolve) => {
    execFile('ps', ['-o', 'command=', '-p', `${pid}`], { encoding: 'utf8' }, (_error, stdout) =>
      resolve(stdout.trim()),
    );
  });
  if (command === '') return 'gone';
  if (!command.includes('postgres')) return 'other';
  return command.includes(`-D ${clusterDir}`) ? 'ours' : 'unknown';
}

/**
 * Writes our own process id over one that is dead or was given to another program. The server takes its parent's id
 * for stale, and still finds the key in the same file by which it makes sure that no child of the old server lives on.
 * And should the new server get the very id of the dead one, as happens in containers, nobody mistakes the old file's
 * "ready" for its own.
 */
async function disown(clusterDir: string): Promise<void> {
  const file = join(clusterDir, PID_FILE);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/^\d+/, `${process.pid}`));
}

async function stopProcess(pid: number, clusterDir: string, stopTimeoutMs: number): Promise<void> {
  const steps: readonly [NodeJS.Signals, number][] = [
    ['SIGINT', stopTimeoutMs],
    ['SIGQUIT', IMMEDIATE_STOP_MS_MAX],
    ['SIGKILL', IMMEDIATE_STOP_MS_MAX],
  ];
  for (const [signal, patienceMs] of steps) {
    if (!send(pid, signal, clusterDir)) return;
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline) {
      if ((await identify(pid, clusterDir)) !== 'ours') return;
      await delay(POLL_MS);
    }
  }
  throw new EmbeddedPostgresError(
    `The database server (pid ${pid}) left on ${clusterDir} by an earlier run does not stop.`,
  );
}

/** @returns false when the process has gone. */
function send(pid: number, signal: NodeJS.Signals, clusterDir: string): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false;
    throw new EmbeddedPostgresError(
      `A database server (pid ${pid}) left by an earlier run still works on ${clusterDir}, and user id ` +
        `${process.getuid?.()} may not stop it; stop it as its owner or as root.`,
    );
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}
