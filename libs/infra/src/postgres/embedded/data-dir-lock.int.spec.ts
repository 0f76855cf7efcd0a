import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataDirLock } from './data-dir-lock.js';
import { DataDirBusyError, EmbeddedPostgresError } from './embedded-postgres-error.js';
import { HolderProcess } from './testing/holder-process-runner.js';

describe('the lock on a data folder', () => {
  let parent: string;
  let dataDir: string;
  const processes: HolderProcess[] = [];

  const run = (what: 'lock' | 'start'): HolderProcess => {
    const started = new HolderProcess(what, dataDir);
    processes.push(started);
    return started;
  };

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'parley lock '));
    dataDir = join(parent, 'data');
  });

  afterEach(async () => {
    await Promise.all(processes.splice(0).map((one) => one.kill()));
    await rm(parent, { recursive: true, force: true });
  });

  it('refuses a second process with a sentence that names the folder and the holder', async () => {
    const { pid } = await run('lock').line();
    const refusal = await DataDirLock.acquire(dataDir).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DataDirBusyError);
    expect((refusal as DataDirBusyError).holderPid).toBe(pid);
    expect((refusal as DataDirBusyError).message).toContain(
      `${dataDir} is in use by another Parley process (pid ${pid})`,
    );
  });

  it('refuses a second holder in the same process', async () => {
    const lock = await DataDirLock.acquire(dataDir);
    await expect(DataDirLock.acquire(dataDir)).rejects.toThrow(`pid ${process.pid}`);
    await lock.release();
  });

  it('is free after a release, as often as one likes, and leaves one file behind', async () => {
    for (let round = 0; round < 5; round += 1) {
      const lock = await DataDirLock.acquire(dataDir);
      await lock.release();
      await lock.release();
    }
    expect(await readdir(dataDir)).toEqual(['.parley-lock.5']);
  });

  it('is free after the holder was killed', async () => {
    const holder = run('lock');
    await holder.line();
    await expect(DataDirLock.acquire(dataDir)).rejects.toThrow(DataDirBusyError);
    await holder.kill();
    const lock = await DataDirLock.acquire(dataDir);
    await lock.release();
  });

  it('stays with a holder that hangs', async () => {
    const holder = run('lock');
    await holder.line();
    holder.child.kill('SIGSTOP');
    const refusal = await DataDirLock.acquire(dataDir).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DataDirBusyError);
    expect((refusal as DataDirBusyError).holderPid).toBeUndefined();
  });

  it('goes to exactly one of several processes that start at once on a killed one’s folder', async () => {
    const first = run('lock');
    await first.line();
    await first.kill();
    const lines = await Promise.all(Array.from({ length: 5 }, () => run('lock').line()));
    const holders = lines.filter((line) => line.pid !== undefined);
    expect(holders).toHaveLength(1);
    const refused = lines.filter((line) => line.refused === 'DataDirBusyError');
    expect(refused).toHaveLength(4);
    for (const { message } of refused) expect(message).toContain(`(pid ${holders[0]?.pid})`);
  });

  it('goes to exactly one of forty contenders in every one of ten rounds', async () => {
    for (let round = 0; round < 10; round += 1) {
      const attempts = await Promise.allSettled(Array.from({ length: 40 }, () => DataDirLock.acquire(dataDir)));
      const held = attempts.filter((attempt) => attempt.status === 'fulfilled');
      expect(held).toHaveLength(1);
      const reasons = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []));
      for (const reason of reasons) expect(reason).toBeInstanceOf(DataDirBusyError);
      await held[0]?.value.release();
    }
  });

  it.runIf(process.platform === 'linux')('works in a folder whose path is longer than a socket’s may be', async () => {
    dataDir = join(parent, 'd'.repeat(120), 'e'.repeat(120));
    const { pid } = await run('lock').line();
    await expect(DataDirLock.acquire(dataDir)).rejects.toThrow(`pid ${pid}`);
  });

  it('takes a relative path for the same folder as an absolute one', async () => {
    const lock = await DataDirLock.acquire(relative(process.cwd(), dataDir));
    expect(lock.dataDir).toBe(dataDir);
    await expect(DataDirLock.acquire(dataDir)).rejects.toThrow(DataDirBusyError);
    await lock.release();
  });

  it('makes the folder for its owner alone', async () => {
    const lock = await DataDirLock.acquire(dataDir);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    await lock.release();
  });

  it('closes an empty folder and one of its own, but not one that holds something else', async () => {
    const modeAfterLocking = async (folder: string): Promise<number> => {
      await chmod(folder, 0o755);
      await (await DataDirLock.acquire(folder)).release();
      return (await stat(folder)).mode & 0o777;
    };
    await mkdir(dataDir);
    const closed = process.getuid?.() === 0 ? 0o710 : 0o700;
    expect(await modeAfterLocking(dataDir)).toBe(closed);
    expect(await modeAfterLocking(dataDir)).toBe(closed);
    const foreign = join(parent, 'home');
    await mkdir(foreign);
    await writeFile(join(foreign, 'letter.txt'), 'dear');
    expect(await modeAfterLocking(foreign)).toBe(0o755);
  });

  it('says in a sentence that a file stands in the folder’s place', async () => {
    await writeFile(dataDir, '');
    const refusal = await DataDirLock.acquire(dataDir).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(EmbeddedPostgresError);
    expect((refusal as Error).message).toBe(`The data folder ${dataDir} cannot be used: a file stands in its place.`);
  });

  it('says that a link on the way leads nowhere, and comes back from where no folder can be made', async () => {
    const link = join(parent, 'disk');
    await symlink(join(parent, 'not', 'mounted'), link);
    await expect(DataDirLock.acquire(join(link, 'parley'))).rejects.toThrow(
      `The data folder ${link}/parley cannot be used: ${link} is a link that leads nowhere.`,
    );
    await expect(DataDirLock.acquire('/proc/parley/data')).rejects.toThrow(
      'The data folder /proc/parley/data cannot be used',
    );
  });
});
