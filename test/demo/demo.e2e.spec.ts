import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { logIn, memoryStore, type ParleyClient } from '../../packages/sdk/src/index.js';

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'demo.mjs');
/** With a build before it. */
const PRINTED_MS_MAX = 120_000;
const SEEN_MS_MAX = 10_000;

let folder: string;
let demo: ChildProcess;
let output = '';
let url: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-demo-test-'));
  await chmod(folder, 0o711);
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', TMPDIR: folder };
  demo = spawn(process.execPath, [SCRIPT, '--messages', '150'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [demo.stdout, demo.stderr]) stream?.on('data', (text) => (output += String(text)));
  const began = performance.now();
  while (!output.includes('log in as')) {
    if (demo.exitCode !== null || performance.now() - began > PRINTED_MS_MAX) throw new Error(output);
    await delay(50);
  }
  url = /Open (\S+) and/.exec(output)?.[1] ?? '';
}, PRINTED_MS_MAX + 10_000);
afterAll(async () => {
  if (demo.exitCode === null) demo.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function guest(): Promise<ParleyClient> {
  const [, username = '', password = ''] = /log in as (\S+) with the password (\S+)/.exec(output) ?? [];
  const client = await logIn({ url, username, password, store: memoryStore() });
  onTestFinished(() => client.close());
  await expect.poll(() => client.conversations.length, { timeout: SEEN_MS_MAX }).toBe(4);
  return client;
}

describe('npm run demo', () => {
  it('prints an address and a login, with which one finds conversations that have begun', async () => {
    const client = await guest();
    const names = client.conversations.map(({ name, lastSeq }) => `${name}: ${lastSeq > 0}`);
    expect(names.sort()).toEqual(['Engine room: true', 'Sunday hike: true', 'The long history: true', 'null: true']);
    expect(client.conversations.find(({ name }) => name === 'The long history')?.lastSeq).toBe(150);
  });

  it('shows somebody typing, then a message, within 10 seconds', async () => {
    const client = await guest();
    const { conversationId = '' } = client.conversations.find(({ name }) => name === 'Engine room') ?? {};
    const room = await client.conversation(conversationId);
    let typed = 0;
    onTestFinished(room.on('typing', (userIds) => (typed += userIds.length)));
    const before = room.details.lastSeq;
    await expect.poll(() => typed, { timeout: SEEN_MS_MAX }).toBeGreaterThan(0);
    await expect.poll(() => room.details.lastSeq, { timeout: SEEN_MS_MAX }).toBeGreaterThan(before);
  });

  it('reads what one writes, and answers', async () => {
    const client = await guest();
    const { conversationId = '' } = client.conversations.find(({ type }) => type === 'direct') ?? {};
    const direct = await client.conversation(conversationId);
    onTestFinished(direct.subscribe(() => {}));
    await direct.send('Anybody there?');
    const statusOfMine = () => direct.timeline.findLast(({ content }) => content === 'Anybody there?')?.status;
    await expect.poll(statusOfMine, { timeout: SEEN_MS_MAX }).toBe('read');
    await expect.poll(() => direct.timeline.at(-1)?.status, { timeout: SEEN_MS_MAX }).toBe('received');
  });

  it('ends in order at Ctrl-C, and leaves nothing behind', async () => {
    const exit = once(demo, 'exit');
    demo.kill('SIGINT');
    expect(await exit, output).toEqual([0, null]);
    expect(await readdir(folder)).toEqual([]);
    await expect(fetch(`${url}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('refuses what it does not know, before it starts anything', () => {
    for (const args of [['--nonsense'], ['--messages'], ['--messages', 'many'], ['--messages', '100001']]) {
      const { status, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8', timeout: 20_000 });
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('Usage: npm run demo') });
    }
  });
});
