import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocksOf, document, ROOT } from './documents.js';

const blocks = codeBlocksOf(document('README.md'));
const commands = blocks
  .filter(({ info }) => info === 'sh')
  .flatMap(({ text }) => text.split('\n'))
  .flatMap((line) => line.split(' && '))
  .map((command) => command.replace(/\s+#.*$/, '').trim())
  .filter((command) => command !== '');

/** What is not run here, and where it is. */
const RUN_ELSEWHERE: Record<string, string> = {
  'npm ci': '.ci/run begins with it',
  'npm test': 'it runs this test',
  'npm run demo': 'test/demo/demo.e2e.spec.ts runs it',
  'docker compose up --build': 'needs a Docker daemon; test/house/container.int.spec.ts reads its files',
};

const run = promisify(execFile);

describe('the README', () => {
  let dataDir: string;
  let server: ChildProcess;
  let output = '';
  let url: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'parley-readme-'));
    const env = { ...process.env, DATA_DIR: dataDir, PORT: '0', NO_COLOR: '1' };
    server = spawn('npm', ['start'], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    url = await new Promise((resolve, reject) => {
      server.once('exit', (code) => reject(new Error(`npm start ended with ${code}: ${output}`)));
      server.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const ready = /^ready (http\S+)$/m.exec(output);
        if (ready?.[1]) resolve(ready[1]);
      });
    });
  });

  afterAll(async () => {
    if (server.pid !== undefined && server.exitCode === null) {
      // 'close', not 'exit': npm may end before the server that it started, which holds the other end of this pipe.
      const ended = once(server, 'close');
      process.kill(-server.pid, 'SIGTERM');
      await ended;
    }
    await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  it('shows no command that is not run, here or where it is said to be', () => {
    const here = ['npm start', 'node docs/examples/hello.mjs'];
    expect(commands.filter((command) => !here.includes(command) && !(command in RUN_ELSEWHERE))).toEqual([]);
    expect(commands).toEqual(expect.arrayContaining(here));
  });

  it('says what npm start prints', () => {
    const shown = blocks.filter(({ info }) => info === 'text').map(({ text }) => text);
    expect(shown.join('')).toContain('ready http://127.0.0.1:3000');
    expect(output).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+$/m);
  });

  it('shows the client that is in docs/examples, as it is there', async () => {
    const client = await readFile(join(ROOT, 'docs', 'examples', 'hello.mjs'), 'utf8');
    const snippets = blocks.filter(({ info }) => info === 'js');
    expect(snippets.length).toBeGreaterThan(0);
    for (const { text } of snippets) expect(client).toContain(text);
  });

  it('has a client that runs: one user sends, the other receives', async () => {
    const { stdout } = await run('node', ['docs/examples/hello.mjs', url], { cwd: ROOT, env: process.env });
    expect(stdout).toMatch(/status: 'stored'/);
    expect(stdout).toMatch(/ben received \{ seq: 1, content: 'Hello' \}/);
  });

  it('leads to pages that the server shows', async () => {
    for (const path of ['/', '/docs', '/asyncapi', '/health/ready', '/metrics']) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
    }
  });

  it('has only blocks of kinds that are checked', () => {
    expect(blocks.map(({ info }) => info).filter((info) => !['sh', 'js', 'text'].includes(info))).toEqual([]);
  });
});
