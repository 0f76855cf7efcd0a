import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { ServerAccount } from './server-account.js';

/** Where clients reach the server: a Unix socket in a folder of its own, or a port of this machine alone. */
export type ServerEndpoint =
  | { readonly kind: 'socket'; readonly socketDir: string; readonly port: number }
  | { readonly kind: 'tcp'; readonly port: number };

/** A socket's file name carries a port number, though no port is opened. */
const SOCKET_PORT = 5432;
/** The kernel's limit is 107 bytes on Linux and 103 on macOS. */
const SOCKET_PATH_BYTES_MAX = 103;
const TEMPORARY_PREFIX = 'parley-postgres-';
const TEMPORARY_NAME_CHARS = 16;

/**
 * Makes a private folder for the socket: `run` in the data folder, or a temporary one when that path is too long for
 * a socket. When every path is too long, a free port of 127.0.0.1 it is; access needs the password either way.
 */
export async function openEndpoint(
  dataDir: string,
  account: ServerAccount | undefined,
  temporaryParents: readonly string[] = [tmpdir(), '/tmp'],
): Promise<ServerEndpoint> {
  const own = join(dataDir, 'run');
  if (fits(own)) {
    // Emptied first: the note of a killed server beside its socket may name a process id that lives again.
    await rm(own, { recursive: true, force: true });
    await mkdir(own, { mode: 0o700 });
    return asSocket(own, account);
  }
  for (const parent of temporaryParents) {
    if (!fits(join(parent, TEMPORARY_PREFIX + 'x'.repeat(TEMPORARY_NAME_CHARS)))) continue;
    const made = await makeTemporary(parent, dataDir);
    if (made !== undefined) return asSocket(made, account);
  }
  return { kind: 'tcp', port: await freePort() };
}

/** Removes the socket's folder, if there is one of ours. */
export async function closeEndpoint(endpoint: ServerEndpoint): Promise<void> {
  if (endpoint.kind === 'socket') await rm(endpoint.socketDir, { recursive: true, force: true });
}

/** Removes a temporary socket folder that a killed process left, as noted in `postmaster.pid`. */
export async function removeLeftSocketDir(socketDir: string): Promise<void> {
  if (basename(socketDir).startsWith(TEMPORARY_PREFIX)) await rm(socketDir, { recursive: true, force: true });
}

/** The same name each time, so that connection pools find a restarted server; another one if that name is taken. */
async function makeTemporary(parent: string, dataDir: string): Promise<string | undefined> {
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, TEMPORARY_NAME_CHARS);
  const usual = join(parent, TEMPORARY_PREFIX + name);
  try {
    await rm(usual, { recursive: true, force: true });
    // Fails when somebody else has put a folder there: never use one that is not ours.
    await mkdir(usual, { mode: 0o700 });
    return usual;
  } catch {
    return mkdtemp(join(parent, TEMPORARY_PREFIX)).catch(() => undefined);
  }
}

function fits(socketDir: string): boolean {
  return Buffer.byteLength(join(socketDir, `.s.PGSQL.${SOCKET_PORT}`)) <= SOCKET_PATH_BYTES_MAX;
}

async function asSocket(socketDir: string, account: ServerAccount | undefined): Promise<ServerEndpoint> {
  await chmod(socketDir, 0o700);
  if (account) await chown(socketDir, account.uid, account.gid);
  return { kind: 'socket', socketDir, port: SOCKET_PORT };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
