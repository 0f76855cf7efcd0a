import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { locateServerBinaries, repairInstallation } from './server-binaries.js';
import type { ServerBinaries } from './server-binaries.js';

/** What an installation leaves whose install scripts were blocked: no links between the shared libraries. */
async function installWithoutScripts(into: string): Promise<ServerBinaries> {
  const found = await locateServerBinaries();
  const links = found.libraryLinks;
  await cp(dirname(dirname(found.postgres)), into, {
    recursive: true,
    filter: (path) => !(dirname(path) === found.libDir && links.has(basename(path))),
  });
  const bin = join(into, 'bin');
  return { ...found, postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb'), libDir: join(into, 'lib') };
}

async function versionOf(program: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ['--version'], { env });
  return stdout;
}

/** Root may write everywhere; so drop to somebody who may not, for as long as `work` takes. */
async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  return work().finally(() => {
    if (isRoot) process.seteuid?.(0);
  });
}

describe('an installation whose install scripts were blocked', () => {
  let parent: string;
  let binaries: ServerBinaries;
  let spareDir: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'parley install '));
    await chmod(parent, 0o777);
    spareDir = join(parent, 'spare');
    binaries = await installWithoutScripts(join(parent, 'native'));
  });

  afterEach(async () => {
    await chmod(binaries.libDir, 0o755);
    await rm(parent, { recursive: true, force: true });
  });

  it('cannot start as it is, and is repaired in place', async () => {
    await expect(versionOf(binaries.postgres, {})).rejects.toThrow('shared librar');
    await chmod(binaries.initdb, 0o644);
    expect(await repairInstallation(binaries, spareDir)).toEqual({});
    expect(await versionOf(binaries.postgres, {})).toContain('(PostgreSQL) 18');
    expect(await versionOf(binaries.initdb, {})).toContain('(PostgreSQL) 18');
    expect((await lstat(join(binaries.libDir, 'libpq.so.5'))).isSymbolicLink()).toBe(true);
    await expect(stat(spareDir)).rejects.toThrow('ENOENT');
    expect(await repairInstallation(binaries, spareDir)).toEqual({});
  });

  it('is repaired from outside where it is read-only', async () => {
    await chmod(binaries.libDir, 0o555);
    const [first, second] = await asOrdinaryUser(async () => [
      await repairInstallation(binaries, spareDir),
      await repairInstallation(binaries, spareDir),
    ]);
    expect(await versionOf(binaries.postgres, first ?? {})).toContain('(PostgreSQL) 18');
    expect(await versionOf(binaries.initdb, second ?? {})).toContain('(PostgreSQL) 18');
    await expect(stat(join(binaries.libDir, 'libpq.so.5'))).rejects.toThrow('ENOENT');
  });
});
