import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError, systemErrorCode } from './embedded-postgres-error.js';
import { giveTo, hasName, planLaunch, systemAccount } from './server-account.js';
import type { ServerAccount } from './server-account.js';
import type { ServerBinaries } from './server-binaries.js';
import { SERVER_ROLE, SETTINGS_FILE } from './server-settings.js';

/** Lives in the cluster folder, so that a half-made cluster never has another password than its finished one. */
const PASSWORD_FILE = 'parley-password';
/** The server starts on 0700 and 0750 only. */
const OPEN_TO_OTHERS = 0o027;
const UNFINISHED_PREFIX = 'postgres.init-';
/** No locale of the machine: an upgrade of the system must not change the order of an index. */
const INITDB_ARGUMENTS = [
  `--username=${SERVER_ROLE}`,
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--auth=scram-sha-256',
  // A young database fills a new segment of its log with zeros while a commit waits: 35 ms for the usual 16 MB.
  '--wal-segsize=4',
  '--no-instructions',
];

export interface ClusterPlace {
  readonly dataDir: string;
  readonly clusterDir: string;
  readonly account: ServerAccount | undefined;
}

/**
 * Makes the database cluster if it is not there. It is made in a temporary folder and renamed when it is whole and on
 * the disk, so a start that is killed half-way leaves nothing that could be mistaken for a cluster.
 * @throws EmbeddedPostgresError when the folder holds something else, or data of another major version, or data of
 * another user.
 */
export async function ensureCluster(
  place: ClusterPlace,
  binaries: ServerBinaries,
  environment: NodeJS.ProcessEnv,
): Promise<'made' | 'found'> {
  await removeUnfinished(place.dataDir);
  const found = await stat(place.clusterDir).catch(() => undefined);
  if (!found) {
    await makeCluster(place, binaries, environment);
    return 'made';
  }
  const uid = process.getuid?.();
  if (uid !== undefined && uid !== 0 && found.uid !== uid) {
    throw new EmbeddedPostgresError(
      `The database in ${place.clusterDir} belongs to user id ${found.uid}, but Parley runs as user id ${uid}: start it ` +
        `as that user or as root, or give the data over with: chown -R ${uid} '${place.dataDir}'.`,
    );
  }
  await checkVersion(place.clusterDir, binaries.majorVersion);
  // Restored by what knows no modes, or by a hand: the server refuses a folder that others may enter.
  if ((found.mode & OPEN_TO_OTHERS) !== 0) await chmod(place.clusterDir, 0o700);
  // Data copied or restored by root: the server must own it.
  if (found.uid === 0) await giveTo(place.account, place.clusterDir);
  return 'found';
}

/** The role's password. @throws EmbeddedPostgresError when the file is missing or unreadable. */
export async function readPassword(clusterDir: string): Promise<string> {
  const file = join(clusterDir, PASSWORD_FILE);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new EmbeddedPostgresError(
      `The database password in ${file} cannot be read (${systemErrorCode(error)}); restore the file from a backup.`,
    );
  });
  return text.trim();
}

async function removeUnfinished(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(UNFINISHED_PREFIX)) continue;
    // An initdb that outlived its parent may still be writing there, and fails once its folder is gone.
    await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });
  }
}

async function checkVersion(clusterDir: string, majorVersion: number): Promise<void> {
  const text = await readFile(join(clusterDir, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    throw new EmbeddedPostgresError(
      `The folder ${clusterDir} is not a PostgreSQL database (PG_VERSION: ${systemErrorCode(error)}); ` +
        'move it away or restore it from a backup.',
    );
  });
  if (Number.parseInt(text, 10) === majorVersion) return;
  throw new EmbeddedPostgresError(
    `The database in ${clusterDir} was made by PostgreSQL ${text.trim()}, but this Parley brings PostgreSQL ${majorVersion}: ` +
      'dump the data with the old version and restore it with the new one, or go back to the Parley that made it.',
  );
}

async function makeCluster(place: ClusterPlace, binaries: ServerBinaries, env: NodeJS.ProcessEnv): Promise<void> {
  const workDir = join(place.dataDir, `${UNFINISHED_PREFIX}${randomBytes(6).toString('hex')}`);
  const newCluster = join(workDir, 'data');
  const passwordFile = join(workDir, PASSWORD_FILE);
  await mkdir(workDir, { mode: 0o700 });
  await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  await runInitdb(place, workDir, binaries, env, [`--pgdata=${newCluster}`, `--pwfile=${passwordFile}`]);
  await rename(passwordFile, join(newCluster, PASSWORD_FILE));
  const include = `\n# What stands below this line wins over Parley's settings.\ninclude '${SETTINGS_FILE}'\n`;
  await appendFile(join(newCluster, 'postgresql.conf'), include);
  await giveTo(place.account, newCluster);
  for (const path of [join(newCluster, PASSWORD_FILE), join(newCluster, 'postgresql.conf'), newCluster])
    await sync(path);
  await rename(newCluster, place.clusterDir);
  await sync(place.dataDir);
  await rm(workDir, { recursive: true, force: true });
}

/** `initdb` insists on a user with a name; containers are often started under a bare number. */
async function runInitdb(
  place: ClusterPlace,
  workDir: string,
  binaries: ServerBinaries,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
): Promise<void> {
  const isNamed = place.account ? await hasName(place.account.uid) : true;
  const account = isNamed ? place.account : await systemAccount();
  await giveTo(account, workDir);
  const launch = await planLaunch(account, [binaries.initdb, binaries.postgres, binaries.libDir, workDir]);
  const command = [...launch.prefix, binaries.initdb, ...INITDB_ARGUMENTS, ...args];
  const options = { env, cwd: workDir, ...launch.account };
  const outcome = await run(command, options);
  if (outcome === undefined) return;
  if (!outcome.includes('could not look up effective user ID')) throw initFailed(outcome);
  // In a user namespace of its own the process carries a name while its files stay this user's.
  const { uid, gid } = await systemAccount();
  const named = ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, ...command];
  await rm(join(workDir, 'data'), { recursive: true, force: true });
  if ((await run(named, options)) !== undefined) {
    throw new EmbeddedPostgresError(
      `PostgreSQL's initdb needs a name for user id ${process.getuid?.()}: add the user to /etc/passwd ` +
        '(in a container: start it as a user that the image knows).',
    );
  }
}

/** Runs to the end. @returns what it complained about when it failed. */
function run(command: readonly string[], options: object): Promise<string | undefined> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    execFile(program, args, { ...options, encoding: 'utf8' }, (error, _stdout, stderr) => {
      resolve(error ? stderr.trim() || error.message : undefined);
    });
  });
}

function initFailed(why: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(`The database could not be made: ${why.replaceAll(/\s*\n\s*/g, ' ')}`);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}
