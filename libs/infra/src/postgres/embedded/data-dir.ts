import { constants } from 'node:fs';
import { access, chmod, mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EmbeddedPostgresError, systemErrorCode } from './embedded-postgres-error.js';

/** Names that show that a folder has been a data folder of ours before. */
const OWN_ENTRY = /^(postgres|\.parley-lock)(\.|$)/;

/** Under root, the account that runs the server passes through as the folder's group; nobody else may do anything. */
const PRIVATE_MODE_MASK = process.getuid?.() === 0 ? 0o710 : 0o700;

/**
 * Makes sure that the data folder exists and is private, and answers its real, absolute path.
 *
 * A folder that was there before and holds something else keeps its mode: a mistyped DATA_DIR must not close
 * somebody's home folder to its other users.
 * @throws EmbeddedPostgresError when the folder cannot be made or this user may not write in it.
 */
export async function prepareDataDir(requested: string): Promise<string> {
  const absolute = resolve(requested);
  try {
    await makeFolders(absolute);
    const path = await realpath(absolute);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    await makePrivate(path);
    return path;
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The data folder ${absolute} cannot be used: ${reasonOf(systemErrorCode(error), error)}.`,
    );
  }
}

/**
 * The folders above it are ordinary ones. Step by step: with `recursive`, Node never comes back from a file system that
 * has no room for folders, as /proc.
 */
async function makeFolders(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !(await exists(at)); at = dirname(at)) missing.unshift(at);
  if (missing.length === 0 && !(await stat(path)).isDirectory()) throw new Error('a file stands in its place');
  for (const folder of missing) {
    try {
      await mkdir(folder, { mode: folder === path ? 0o700 : 0o777 });
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
      // Another process was faster; or there is a link, perhaps to a disk that is not mounted.
      if (!(await exists(folder))) throw new Error(`${folder} is a link that leads nowhere`, { cause: error });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function makePrivate(path: string): Promise<void> {
  const { mode, uid } = await stat(path);
  const permissions = mode & 0o777;
  const mayChange = process.getuid?.() === 0 || process.getuid?.() === uid;
  if (!mayChange || (permissions & ~PRIVATE_MODE_MASK) === 0) return;
  const entries = await readdir(path);
  if (entries.length > 0 && !entries.some((name) => OWN_ENTRY.test(name))) return;
  await chmod(path, permissions & PRIVATE_MODE_MASK);
}

function reasonOf(code: string, error: unknown): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `user id ${process.getuid?.() ?? '?'} may not read and write there`;
    case 'EROFS':
      return 'its file system is read-only';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a file stands in its place';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
