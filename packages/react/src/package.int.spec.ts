import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const packages = resolve(import.meta.dirname, '..', '..');
const modules = resolve(packages, '..', 'node_modules');
const GZIP_BYTES_MAX = 4_000;

/** A user's project with both packages as they are built, React, and nothing else of this repository. */
let project: string;
const installed = (...path: string[]) => join(project, 'node_modules', ...path);
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'parley-react-'));
  for (const name of ['sdk', 'react']) {
    const target = installed('@parley', name);
    await mkdir(target, { recursive: true });
    await run(process.execPath, [join(packages, name, 'build.mjs'), join(target, 'dist')]);
    await cp(join(packages, name, 'package.json'), join(target, 'package.json'));
  }
  for (const name of ['socket.io-client', 'react', '@types/react', 'csstype']) {
    await mkdir(dirname(installed(name)), { recursive: true });
    await symlink(join(modules, name), installed(name));
  }
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
}, 180_000);
afterAll(() => rm(project, { recursive: true, force: true }));

const options: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  exactOptionalPropertyTypes: true,
  jsx: ts.JsxEmit.ReactJSX,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
};

async function typeErrors(text: string): Promise<string[]> {
  const file = join(project, 'app.tsx');
  await writeFile(file, text);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('the built package', () => {
  it('has the types that the snippet of its README needs, and no others', async () => {
    const readme = await readFile(join(packages, 'react', 'README.md'), 'utf8');
    const [, snippet = ''] = /^```tsx\n(.*?)^```$/ms.exec(readme) ?? [];
    expect(snippet).toContain('useConversation(');
    expect(await typeErrors(snippet)).toEqual([]);
    expect(await typeErrors(snippet.replace('conversation?.send(', 'conversation?.nothing('))).toHaveLength(1);
  }, 60_000);

  it('is loaded by Node as it is, brings no second React or SDK, and stays small', async () => {
    const { stdout } = await run(
      process.execPath,
      ['--input-type=module', '-e', "console.log(Object.keys(await import('@parley/react')).join())"],
      { cwd: project },
    );
    expect(stdout.trim().split(',')).toEqual(
      expect.arrayContaining(['ParleyProvider', 'useConversation', 'usePresence', 'useTyping']),
    );
    const files = ['index', 'provider', 'session-holder', 'conversation-source', 'use-conversation', 'use-presence'];
    const texts = await Promise.all(
      files.map((name) => readFile(installed('@parley', 'react', 'dist', `${name}.js`), 'utf8')),
    );
    expect(gzipSync(texts.join('')).byteLength).toBeLessThanOrEqual(GZIP_BYTES_MAX);
  });

  it('has the public surface that was agreed on', async () => {
    await expect(publicSurface()).toMatchFileSnapshot('../api-report.txt');
  });
});

/** Every export of the package's index, as its declaration says it. */
function publicSurface(): string {
  const index = installed('@parley', 'react', 'dist', 'index.d.ts');
  const program = ts.createProgram([index], options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(index);
  const symbol = source && checker.getSymbolAtLocation(source);
  if (!symbol) throw new Error('The package exports nothing');
  const texts = checker.getExportsOfModule(symbol).map((exported) => {
    const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    return (target.declarations ?? []).map((node) => node.getText()).join('\n');
  });
  return `// Everything that users may rely on. Written by: vitest run packages/react/src/package.int.spec.ts -u\n\n${texts.sort().join('\n\n')}\n`;
}
