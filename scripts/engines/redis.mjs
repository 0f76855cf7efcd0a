import { join } from 'node:path';
import { asks } from './connections.mjs';
import { libraryEnvironment, unpackedPackage } from './debian-packages.mjs';
import { findProgram, ignoresInstalledPrograms } from './programs.mjs';

const ANSWER_TIMEOUT_MS = 1_000;

/** Redis that keeps nothing on the disk. */
export const redis = {
  variable: 'REDIS_URL',
  portNames: ['client'],
  stopRequest: 'SIGTERM',
  stopTimeoutMs: 10_000,

  async install() {
    const installed = ignoresInstalledPrograms() ? undefined : findProgram('redis-server');
    if (installed) return { server: installed, env: process.env };
    const root = await unpackedPackage('redis-server');
    return { server: join(root, 'usr', 'bin', 'redis-server'), env: await libraryEnvironment(root) };
  },

  configure: async () => undefined,

  async command({ folder, host, ports }, { server, env }) {
    const place = ['--bind', host, '--port', `${ports.client}`, '--dir', folder];
    // Redis has no arguments but lines of its configuration: an empty `save` means never.
    return { command: server, args: [...place, '--save', '', '--appendonly', 'no', '--daemonize', 'no'], env };
  },

  address: ({ host, ports }) => `redis://${host}:${ports.client}`,

  isReady: ({ host, ports }) =>
    asks({ host, port: ports.client }, 'PING\r\n', (bytes) => saysPong(bytes), ANSWER_TIMEOUT_MS),
};

function saysPong(bytes) {
  return bytes.length < 5 ? undefined : bytes.toString('latin1').startsWith('+PONG');
}
