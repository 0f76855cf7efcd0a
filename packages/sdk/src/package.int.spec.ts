import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { rspack } from '@rspack/core';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../../../test/clients/test-app.js';

const run = promisify(execFile);
const packageFolder = resolve(import.meta.dirname, '..');
const modules = resolve(packageFolder, '../../node_modules');
/** What the package adds to an application that has socket.io-client already, and with it. */
const OWN_GZIP_BYTES_MAX = 20_500;
const WHOLE_GZIP_BYTES_MAX = 35_000;
/** One class of a few lines, and what the bundler adds. */
const SHAKEN_BYTES_MAX = 1_500;

/** What a browser has and other platforms lack, or have in another way. */
// prettier-ignore
const PLATFORM_GLOBALS = [
  'window', 'document', 'navigator', 'location', 'localStorage', 'sessionStorage', 'indexedDB', 'XMLHttpRequest',
  'WebSocket', 'fetch', 'FormData', 'crypto', 'AbortController', 'addEventListener',
];

/** One message from one end to the other, with a connection and a server that are a few lines long. */
const BARE_RUN = `(async () => {
  const conversation = {
    conversationId: 'c', type: 'group', name: null, createdAt: '', createdBy: 'u', lastSeq: 0, lastRev: 1,
    lastMessage: null, lastActivityAt: '', unreadCount: 0, lastReadMessageId: null, lastReadSeq: 0, visibleFromSeq: 1,
    memberCount: 1, members: [], role: 'admin', settings: { mutedUntil: null, pinned: false, archived: false },
  };
  const answers = {
    sync: { syncedAt: 's', conversations: [{ conversation, messages: [], changes: [], next: {}, hasMore: false, reset: false }], removed: [], nextCursor: null },
    send_message: { status: 'stored', messageId: '1', seq: 1, rev: 2, timestamp: '' },
  };
  const fetch = async (url) => {
    const body = url.includes('/messages') ? { items: [], hasBefore: false, hasAfter: false } : { url, path: '/socket.io', fallbackUrls: [] };
    return { ok: true, status: 200, headers: { get: () => null }, text: async () => JSON.stringify(body) };
  };
  const openLink = async () => ({ close() {}, ask: async (name) => ({ ok: true, ...answers[name] }) });
  const client = await module.exports.connect({ url: 'http://server', token: 't', userId: 'u', fetch, openLink });
  const states = [client.connectionState.status];
  const connected = new Promise((done) => client.on('connection', ({ status }) => { states.push(status); done(); }));
  await connected;
  await new Promise((done) => client.on('conversations', (all) => all.length > 0 && done()));
  const chat = await client.conversation('c');
  const sent = new Promise((done) => chat.subscribe((items) => items[0]?.status === 'sent' && done(items)));
  await chat.send('Hello');
  const items = (await sent).map(({ content, status }) => content + ' (' + status + ')');
  await client.close();
  return JSON.stringify({ states, items });
})()`;

/** Where the machine has it: what npm scripts run with is newer. */
const oldestNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((path) => existsSync(path) && execFileSync(path, ['--version'], { encoding: 'utf8' }).startsWith('v20.'));

/** A user's project with the package as `npm pack` makes it and what it depends on, and nothing else of this repository. */
let project: string;
const installed = (...path: string[]) => join(project, 'node_modules', '@parley', 'sdk', ...path);
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'parley-sdk-'));
  await mkdir(installed(), { recursive: true });
  await run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: packageFolder });
  const [archive = ''] = (await readdir(project)).filter((name) => name.endsWith('.tgz'));
  await run('tar', ['-xzf', join(project, archive), '--strip-components=1', '-C', installed()]);
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  // Resolved from the package's real folder, which is the copy.
  for (const name of ['socket.io-client', '@types/node', 'undici-types']) {
    await mkdir(join(project, 'node_modules', name, '..'), { recursive: true });
    await symlink(join(modules, name), join(project, 'node_modules', name));
  }
}, 180_000);
afterAll(() => rm(project, { recursive: true, force: true }));

async function snippets(): Promise<string[]> {
  const text = await readFile(join(packageFolder, 'README.md'), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
}

function typeErrors(files: string[], types: string[]): string[] {
  const program = ts.createProgram(files, {
    strict: true,
    noEmit: true,
    // The declarations of Node are big and not ours.
    skipLibCheck: types.length > 0,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    typeRoots: [join(project, 'node_modules', '@types')],
    types,
  });
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('the packed package', () => {
  it('has what its package.json names, its declarations and its README, and none of its sources or tests', async () => {
    const files = (await readdir(installed(), { recursive: true })).sort();
    expect(files.filter((name) => !name.startsWith('dist'))).toEqual(['README.md', 'package.json']);
    expect(files).toEqual(expect.arrayContaining([join('dist', 'index.js'), join('dist', 'index.d.ts')]));
    expect(files.filter((name) => /spec|testing|^src/.test(name))).toEqual([]);
    expect(files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))).toEqual([]);
  });

  it('touches nothing of a platform when it is imported', async () => {
    const text = await bundled('untouched', installed('dist', 'index.js'), {
      'socket.io-client': 'commonjs socket.io-client',
    });
    const touched: string[] = [];
    const context = createContext({ module: { exports: {} }, require: () => ({ io: () => {} }) });
    for (const name of PLATFORM_GLOBALS)
      Object.defineProperty(context, name, { get: () => void touched.push(name), configurable: true });
    runInContext(text, context);
    expect(touched).toEqual([]);
    expect(runInContext('typeof module.exports.connect', context)).toBe('function');
    runInContext('localStorage', context);
    expect(touched).toEqual(['localStorage']);
  });

  it('runs where there are only the language and timers, as on React Native', async () => {
    const text = await bundled('bare', installed('dist', 'index.js'), {});
    const context = createContext({ module: { exports: {} }, setTimeout, clearTimeout, queueMicrotask });
    runInContext(text, context);
    const ran: unknown = await runInContext(BARE_RUN, context);
    expect(JSON.parse(String(ran))).toEqual({ states: ['connecting', 'connected', 'closed'], items: ['Hello (sent)'] });
  });

  it('leaves out of a bundle what an application does not use', async () => {
    const entry = join(project, 'entry.mjs');
    await writeFile(
      entry,
      `import { ParleyError } from '@parley/sdk';\nglobalThis.made = new ParleyError('closed', 'x');\n`,
    );
    const text = await bundled('shaken', entry, {});
    expect(text).toContain('ParleyError');
    expect(text.length).toBeLessThanOrEqual(SHAKEN_BYTES_MAX);
  });

  it('has types that need neither zod, nor the DOM, nor Node', async () => {
    const file = join(project, 'user.ts');
    await writeFile(
      file,
      `import { connect, type Conversation, type Message } from '@parley/sdk';
       declare const message: Message;
       export const seq: number = message.seq;
       export const names = async (token: string): Promise<(string | null)[]> =>
         (await connect({ url: '', token })).conversations.map(({ name }: Conversation) => name);
       // @ts-expect-error A message has no such field: the type is the contract's, and not any.
       export const nothing = message.nothing;\n`,
    );
    expect(typeErrors([file], [])).toEqual([]);
  }, 60_000);

  it('runs the snippets of its README as they are, against a server, and they type-check', async () => {
    const app = await TestApp.start();
    try {
      const files: string[] = [];
      for (const [i, text] of (await snippets()).entries()) {
        const file = join(project, `snippet-${i}.ts`);
        await writeFile(file, text.replace('http://127.0.0.1:3000', app.url));
        files.push(file);
      }
      expect(files.length).toBeGreaterThanOrEqual(4);
      expect(typeErrors(files, ['node'])).toEqual([]);
      const said: string[] = [];
      for (const file of files) said.push((await run(process.execPath, [file], { timeout: 20_000 })).stdout);
      expect(said[0]).toContain('Hello (sending)');
      expect(said[0]).toContain('Hello (sent)');
      expect(said[1]).toBe('I am Ada\n');
      expect(said[2]).toContain('validation_failed false');
      expect(said[3]).toContain('Boiler room (0)');
      expect(said[3]).toMatch(/^connected\n(.*\n)*2 0\nclosed\n$/);
    } finally {
      await app.stop();
    }
  }, 120_000);

  it.skipIf(!oldestNode)(
    'runs its first snippet with Node 20, the oldest one it is for',
    async () => {
      const app = await TestApp.start();
      try {
        const [first = ''] = await snippets();
        const { outputText } = ts.transpileModule(first.replace('http://127.0.0.1:3000', app.url), {
          compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
        });
        const file = join(project, 'snippet-node-20.mjs');
        await writeFile(file, outputText);
        const { stdout } = await run(oldestNode ?? '', [file], { timeout: 30_000 });
        expect(stdout).toContain('Hello (sent)');
      } finally {
        await app.stop();
      }
    },
    60_000,
  );

  it('stays small', async () => {
    const own = await gzipBytes('own', { 'socket.io-client': 'commonjs socket.io-client' });
    const whole = await gzipBytes('whole', {});
    expect(own, `${own} bytes of its own`).toBeLessThanOrEqual(OWN_GZIP_BYTES_MAX);
    expect(whole, `${whole} bytes with socket.io-client`).toBeLessThanOrEqual(WHOLE_GZIP_BYTES_MAX);
    expect(whole).toBeGreaterThan(own);
  });

  it('has the public surface that was agreed on', async () => {
    await expect(publicSurface()).toMatchFileSnapshot('../api-report.txt');
  });
});

/** Minified, for a browser, as a CommonJS module. */
async function bundled(name: string, entry: string, externals: Record<string, string>): Promise<string> {
  const path = join(project, `bundle-${name}`);
  const compiler = rspack({
    mode: 'production',
    context: project,
    target: ['web', 'es2022'],
    entry,
    externals,
    output: { path, filename: 'bundle.js', library: { type: 'commonjs2' } },
  });
  await new Promise((done, fail) => {
    compiler.run((error, stats) => {
      const problem = error ?? (stats?.hasErrors() ? new Error(stats.toString()) : null);
      compiler.close(() => (problem ? fail(problem) : done(undefined)));
    });
  });
  return readFile(join(path, 'bundle.js'), 'utf8');
}

async function gzipBytes(name: string, externals: Record<string, string>): Promise<number> {
  const text = await bundled(name, installed('dist', 'index.js'), externals);
  expect(text).not.toContain('ZodError');
  return gzipSync(text, { level: 9 }).byteLength;
}

/** Every export of the package's index, as its declaration says it. */
function publicSurface(): string {
  const index = installed('dist', 'index.d.ts');
  const program = ts.createProgram([index], { lib: ['lib.es2022.d.ts'], types: [] });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(index);
  const symbol = source && checker.getSymbolAtLocation(source);
  if (!symbol) throw new Error('The package exports nothing');
  const texts = checker.getExportsOfModule(symbol).map((exported) => {
    const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const nodes = target.declarations ?? [];
    return nodes.map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node).getText()).join('\n');
  });
  return `// Everything that users may rely on. Written by: vitest run packages/sdk/src/package.int.spec.ts -u\n\n${texts.sort().join('\n\n')}\n`;
}
