import { constants } from 'node:fs';
import { access, chmod, chown, lchown, readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';

/** The user and group under which the server runs when this process is root: PostgreSQL refuses to run as root. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/** How to start a program: what to put before its path, and the user for `spawn` to switch to. */
export interface Launch {
  readonly prefix: readonly string[];
  readonly account: ServerAccount | undefined;
}

/** Accounts that exist for a purpose like ours, the best one first. */
const ACCOUNT_NAMES = ['postgres', '_postgres', 'nobody'];
const SETPRIV_PATHS = ['/usr/bin/setpriv', '/bin/setpriv', '/usr/sbin/setpriv', '/sbin/setpriv'];

/** Bit numbers of Linux capabilities, the narrower one first: read and pass everywhere; write everywhere as well. */
const TRAVERSING_CAPABILITIES: readonly [name: string, bit: bigint][] = [
  ['dac_read_search', 2n],
  ['dac_override', 1n],
];

/** Bits 0, 6 and 7: chown, setgid and setuid. */
const SWITCHING_CAPABILITIES = 0b1100_0001n;

/**
 * Decides who runs the server, for root only. Whoever owns the data already keeps it, so that the same folder can be
 * used by root today and by its owner tomorrow; fresh data of root goes to a system account.
 * @returns undefined when this process is not root: the server then runs as the same user.
 * @throws EmbeddedPostgresError when there is no account to switch to.
 */
export async function chooseServerAccount(dataDir: string, clusterDir: string): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  await requireSwitching();
  for (const path of [clusterDir, dataDir]) {
    const owner = await stat(path).catch(() => undefined);
    if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  }
  return systemAccount();
}

/** An account of this machine that programs may look up by its name. */
export async function systemAccount(): Promise<ServerAccount> {
  const accounts = await passwordFile();
  for (const name of ACCOUNT_NAMES) {
    const account = accounts.get(name);
    if (account && account.uid > 0) return account;
  }
  throw new EmbeddedPostgresError(
    'PostgreSQL does not run as root and there is no account "postgres" or "nobody" to run it as; ' +
      'start Parley as an ordinary user or add such an account.',
  );
}

/** Whether this user id has a name; `initdb` stops without one. */
export async function hasName(uid: number): Promise<boolean> {
  return [...(await passwordFile()).values()].some((account) => account.uid === uid);
}

async function passwordFile(): Promise<Map<string, ServerAccount>> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const accounts = new Map<string, ServerAccount>();
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name && uid && gid) accounts.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  return accounts;
}

/**
 * Finds a way to start a program under `account` that can get at all of `paths` (folders to enter, files to read and
 * execute). Where the account itself cannot, as with a project or data below /root, `setpriv` starts it with the one
 * ambient capability that lets a process pass through folders closed to it, and with no other.
 * @throws EmbeddedPostgresError when there is no such way.
 */
export async function planLaunch(account: ServerAccount | undefined, paths: readonly string[]): Promise<Launch> {
  if (!account) return { prefix: [], account: undefined };
  const closed = await firstClosed(account, paths);
  if (closed === undefined) return { prefix: [], account };
  const [setpriv, capability] = await Promise.all([firstExecutable(SETPRIV_PATHS), traversingCapability()]);
  if (setpriv === undefined || capability === undefined) {
    throw new EmbeddedPostgresError(
      `PostgreSQL does not run as root, and user id ${account.uid}, which would run it, may not enter ${closed}; ` +
        'start Parley as an ordinary user, or move it and DATA_DIR to a folder that every user may enter.',
    );
  }
  const only = `-all,+${capability}`;
  // Without no_setuid_fixup the system call access(2), by which the server checks its own program, ignores capabilities.
  const prefix = [setpriv, '--reuid', `${account.uid}`, '--regid', `${account.gid}`, '--clear-groups'];
  prefix.push(
    '--securebits',
    '+no_setuid_fixup',
    '--inh-caps',
    only,
    '--ambient-caps',
    only,
    '--bounding-set',
    only,
    '--',
  );
  return { prefix, account: undefined };
}

async function firstClosed(account: ServerAccount, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const folders: string[] = [];
    for (let at = path; at !== dirname(at); at = dirname(at)) folders.unshift(at);
    for (const folder of folders) {
      const entry = await stat(folder);
      const needed = entry.isDirectory() ? 0o1 : 0o5;
      const shift = entry.uid === account.uid ? 6 : entry.gid === account.gid ? 3 : 0;
      if (((entry.mode >> shift) & needed) !== needed) return folder;
    }
  }
  return undefined;
}

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return path;
  }
  return undefined;
}

async function traversingCapability(): Promise<string | undefined> {
  const effective = await effectiveCapabilities();
  return TRAVERSING_CAPABILITIES.find(([, bit]) => ((effective ?? 0n) >> bit) & 1n)?.[0];
}

async function requireSwitching(): Promise<void> {
  const effective = await effectiveCapabilities();
  if (effective === undefined || (effective & SWITCHING_CAPABILITIES) === SWITCHING_CAPABILITIES) return;
  throw new EmbeddedPostgresError(
    'PostgreSQL does not run as root, and this root may not switch to another user (its capabilities chown, setgid ' +
      'and setuid were taken away); start Parley as an ordinary user.',
  );
}

/** @returns undefined where the system does not tell, as on macOS. */
async function effectiveCapabilities(): Promise<bigint | undefined> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const digits = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

/** Lets the account, and nobody else, through a private data folder of root. A folder open to others stays as it is. */
export async function openDataDirTo(account: ServerAccount | undefined, dataDir: string): Promise<void> {
  if (!account) return;
  const { uid, mode } = await stat(dataDir);
  const isPrivate = (mode & 0o067) === 0;
  if (uid !== 0 || !isPrivate) return;
  await chown(dataDir, 0, account.gid);
  await chmod(dataDir, 0o710);
}

/** Gives a file, or a folder with all that is in it, to the account; does nothing when there is none. */
export async function giveTo(account: ServerAccount | undefined, path: string): Promise<void> {
  if (!account) return;
  await lchown(path, account.uid, account.gid);
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => []);
  for (const entry of entries) await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
}
