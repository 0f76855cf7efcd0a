import { appendFile, chmod, chown, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPassword } from './cluster-init.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { chooseServerAccount, giveTo, planLaunch } from './server-account.js';
import { locateServerBinaries } from './server-binaries.js';
import { openEndpoint } from './server-endpoint.js';
import { keepShort, ServerLog } from './server-log.js';
import { ServerProcess } from './server-process.js';
import { writeServerSettings } from './server-settings.js';
import { copyTestCluster } from './testing.js';

describe('a temporary folder for the socket', () => {
  it.runIf(process.getuid?.() === 0)('is never one that somebody else has put there', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'parley-e-'));
    try {
      const long = join(parent, 'x'.repeat(100));
      const first = await openEndpoint(long, undefined, [parent]);
      if (first.kind !== 'socket') throw new Error('no socket was made');
      await chown(first.socketDir, 12_345, 12_345);
      await chmod(parent, 0o1777);
      process.seteuid?.(65_534);
      const second = await openEndpoint(long, undefined, [parent]).finally(() => process.seteuid?.(0));
      if (second.kind !== 'socket') throw new Error('no socket was made');
      expect(second.socketDir).not.toBe(first.socketDir);
      expect((await stat(second.socketDir)).uid).toBe(65_534);
      expect((await stat(second.socketDir)).mode & 0o777).toBe(0o700);
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  });
});

describe('where no socket can be made', () => {
  let dataDir: string;
  let server: ServerProcess;
  let port: number;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'parley-endpoint-'));
    await copyTestCluster(dataDir);
    const once = await startEmbeddedPostgres({ dataDir, log: () => undefined });
    await once.stop();

    const clusterDir = join(dataDir, 'postgres');
    const endpoint = await openEndpoint(join(dataDir, 'x'.repeat(100)), undefined, []);
    if (endpoint.kind !== 'tcp') throw new Error('a socket was made under a path that is too long for one');
    port = endpoint.port;
    await writeServerSettings(clusterDir, { endpoint, fsync: false });
    const account = await chooseServerAccount(dataDir, clusterDir);
    await giveTo(account, clusterDir);
    const { postgres: program, libDir } = await locateServerBinaries();
    const launch = await planLaunch(account, [program, libDir, clusterDir]);
    const log = await ServerLog.open(join(dataDir, 'postgres.log'), await stat(dataDir));
    server = new ServerProcess({ program, clusterDir, env: {}, launch, log });
    await server.start(20_000);
  });

  afterAll(async () => {
    await server.stop(5_000);
    await rm(dataDir, { recursive: true, force: true });
  });

  it('listens on 127.0.0.1 alone, and wants the password', async () => {
    const password = await readPassword(join(dataDir, 'postgres'));
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'parley', database: 'postgres', password });
    await client.connect();
    const { rows } = await client.query<{ listen_addresses: string }>('SHOW listen_addresses');
    expect(rows).toEqual([{ listen_addresses: '127.0.0.1' }]);
    await client.end();
    const stranger = new pg.Client({ host: '127.0.0.1', port, user: 'parley', database: 'postgres', password: 'x' });
    await expect(stranger.connect()).rejects.toThrow('password authentication failed');
  });

  it('the log is cut at 4 MiB, keeps the part before, and the server goes on writing to it', async () => {
    const file = join(dataDir, 'postgres.log');
    await appendFile(file, `${'x'.repeat(1023)}\n`.repeat(4096));
    await keepShort(file);
    expect((await stat(file)).size).toBe(0);
    expect((await stat(`${file}.1`)).size).toBeGreaterThan(4 * 1024 * 1024);
    await server.stop(5_000);
    expect(await readFile(file, 'utf8')).toMatch(/^\d{4}-.*shut ?down/);
  });
});
