// The server as `npm start` runs it, from the build, on data of its own that go with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../sources.mjs';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 40_000;

/**
 * Starts it on a free port, without rate limits.
 * @returns its URL, and how to stop it
 * @throws Error with what it said, when it does not become ready
 */
export async function startBuiltServer(settings = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-web-'));
  const env = { ...process.env, PORT: '0', RATE_LIMITS: 'off', LOG_LEVEL: 'warn', DATA_DIR: dataDir, ...settings };
  const child = spawn(process.execPath, [join(root, 'dist', 'apps', 'standalone', 'main.js')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = once(child, 'close');
  const url = new Promise((ready, fail) => {
    const timer = setTimeout(() => fail(new Error(`The server is not ready: ${output}`)), READY_TIMEOUT_MS);
    const collect = (text) => {
      output += text;
      const [, address] = /^ready (\S+)$/m.exec(output) ?? [];
      if (address) ready(address);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', collect);
    void ended.then(([code]) => fail(new Error(`The server ended with ${code}: ${output}`)));
    child.on('error', fail);
    ended.finally(() => clearTimeout(timer)).catch(() => undefined);
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    return { url: await url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
