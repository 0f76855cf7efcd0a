import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { planLaunch, systemAccount } from './server-account.js';
import { locateServerBinaries } from './server-binaries.js';
import { HolderProcess } from './testing/holder-process-runner.js';
import { copyTestCluster } from './testing.js';

const ROOT = process.getuid?.() === 0;
/** Ids without a name, as containers are often given. */
const NAMELESS_UID = 12_345;
const ANOTHER_UID = 12_346;

/** Other users can only be tried where they may read these sources and run this Node. */
async function everyoneMayEnter(path: string): Promise<boolean> {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if (((await stat(at)).mode & 0o005) !== 0o005) return false;
  }
  return true;
}

const sources = fileURLToPath(new URL('.', import.meta.url));
const OTHER_USERS = ROOT && (await everyoneMayEnter(sources)) && (await everyoneMayEnter(process.execPath));

async function works(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query('SELECT 1').finally(() => client.end());
  return rowCount === 1;
}

async function statusOf(pid: number, field: string): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${field}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
}

describe('the account of the server', () => {
  let parent: string;
  let dataDir: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'parley account '));
    await chmod(parent, 0o755);
    dataDir = join(parent, 'data');
  });

  afterEach(async () => {
    await rm(parent, { recursive: true, force: true });
  });

  const startAndStop = async (uid?: number): Promise<string> => {
    const started = new HolderProcess('start', dataDir, uid === undefined ? {} : { uid });
    const line = await started.line();
    const ran = line.url !== undefined && (await works(line.url));
    await started.end();
    return ran ? 'ran' : (line.message ?? '');
  };

  it.runIf(!ROOT)('is the application’s own for an ordinary user', async () => {
    const server = await startEmbeddedPostgres({ dataDir, log: () => undefined });
    expect(await statusOf(server.pid, 'Uid')).toBe(`${process.getuid?.()}`);
    await server.stop();
  });

  it.runIf(ROOT)('is a system account under root, and files stay private to it', async () => {
    const { uid, gid } = await systemAccount();
    const server = await startEmbeddedPostgres({ dataDir, log: () => undefined });
    expect(await statusOf(server.pid, 'Uid')).toBe(`${uid}`);
    expect(await works(server.url)).toBe(true);
    await server.stop();
    const folder = await stat(dataDir);
    expect([folder.uid, folder.gid, folder.mode & 0o777]).toEqual([0, gid, 0o710]);
  });

  it.runIf(ROOT)('reaches data below a folder closed to it, with one capability and no other', async () => {
    await mkdir(dataDir);
    await copyTestCluster(dataDir);
    await chmod(parent, 0o700);
    const server = await startEmbeddedPostgres({ dataDir, log: () => undefined });
    expect(await statusOf(server.pid, 'Uid')).not.toBe('0');
    const [effective, bounding] = [await statusOf(server.pid, 'CapEff'), await statusOf(server.pid, 'CapBnd')];
    // Reading everywhere (bit 2); in a container without that, writing everywhere (bit 1).
    expect(['0000000000000004', '0000000000000002']).toContain(effective);
    expect(bounding).toBe(effective);
    expect(await works(server.url)).toBe(true);
    await server.stop();
    expect((await stat(parent)).mode & 0o777).toBe(0o700);
  });

  it.runIf(ROOT)('reaches programs below a folder closed to it', async () => {
    const account = await systemAccount();
    const closed = join(parent, 'closed');
    await mkdir(closed, { mode: 0o700 });
    await cp(dirname(dirname((await locateServerBinaries()).postgres)), closed, { recursive: true });
    const initdb = join(closed, 'bin', 'initdb');
    await chown(parent, account.uid, account.gid);
    const making = async (): Promise<string> => {
      const { prefix, account: user } = await planLaunch(account, [initdb, join(closed, 'lib')]);
      const [program, ...args] = [...prefix, initdb, '--auth=scram-sha-256', '--pwfile=/etc/os-release'];
      const { stdout } = await promisify(execFile)(program, [...args, '--no-sync', dataDir], { ...user, cwd: parent });
      expect((await stat(join(dataDir, 'PG_VERSION'))).uid).toBe(account.uid);
      await rm(dataDir, { recursive: true });
      return `${prefix.length > 0 ? 'by capability' : 'as it is'}: ${/ok$/m.test(stdout)}`;
    };
    expect(await making()).toBe('by capability: true');
    await chmod(closed, 0o755);
    expect(await making()).toBe('as it is: true');
  });

  it.runIf(OTHER_USERS)('is not there for a root without capabilities, who is told so in a sentence', async () => {
    const bare = new HolderProcess('start', dataDir, {
      through: ['setpriv', '--bounding-set=-all', '--inh-caps=-all'],
    });
    expect(await bare.line()).toMatchObject({
      refused: 'EmbeddedPostgresError',
      message: expect.stringContaining('may not switch to another user'),
    });
    await bare.end();
  });

  it.runIf(ROOT)('takes over data that root has copied in', async () => {
    await mkdir(dataDir);
    await copyTestCluster(dataDir);
    const copied = join(parent, 'copied');
    await cp(dataDir, copied, { recursive: true });
    expect((await stat(join(copied, 'postgres'))).uid).toBe(0);
    dataDir = copied;
    expect(await startAndStop()).toBe('ran');
  });

  it.runIf(OTHER_USERS)(
    'may be an ordinary user without a name, then root on the same data, then that user again',
    async () => {
      await mkdir(dataDir);
      await chown(dataDir, NAMELESS_UID, NAMELESS_UID);
      expect(await startAndStop(NAMELESS_UID)).toBe('ran');
      expect(await startAndStop()).toBe('ran');
      expect((await stat(join(dataDir, 'postgres'))).uid).toBe(NAMELESS_UID);
      expect(await startAndStop(NAMELESS_UID)).toBe('ran');
    },
  );

  it.runIf(OTHER_USERS)('is the folder’s owner also when root makes the database there', async () => {
    await mkdir(dataDir, { mode: 0o700 });
    await chown(dataDir, NAMELESS_UID, NAMELESS_UID);
    expect(await startAndStop()).toBe('ran');
    expect(await startAndStop(NAMELESS_UID)).toBe('ran');
  });

  it.runIf(OTHER_USERS)('takes over the orphan that another user’s application left, under root', async () => {
    await mkdir(dataDir);
    await chown(dataDir, NAMELESS_UID, NAMELESS_UID);
    const killed = new HolderProcess('start', dataDir, { uid: NAMELESS_UID });
    await killed.line();
    await killed.kill();
    expect(await startAndStop()).toBe('ran');
  });

  it.runIf(OTHER_USERS)('refuses other people’s data with a sentence', async () => {
    expect(await startAndStop()).toBe('ran');
    expect(await startAndStop(NAMELESS_UID)).toBe(
      `The data folder ${dataDir} cannot be used: user id ${NAMELESS_UID} may not read and write there.`,
    );
    await chown(dataDir, NAMELESS_UID, NAMELESS_UID);
    await chown(join(dataDir, 'postgres'), ANOTHER_UID, ANOTHER_UID);
    for (const name of ['.parley-lock.1', 'postgres.log']) {
      await chown(join(dataDir, name), NAMELESS_UID, NAMELESS_UID);
    }
    expect(await startAndStop(NAMELESS_UID)).toContain(
      `belongs to user id ${ANOTHER_UID}, but Parley runs as user id ${NAMELESS_UID}`,
    );
  });
});
