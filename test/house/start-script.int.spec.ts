import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { TrialRepository } from './trial-repository.js';

const scripts = ['scripts/start.mjs', 'scripts/build.mjs', 'scripts/sources.mjs'];
const buildSettings = ['nest-cli.json', 'rspack.config.mjs', 'tsconfig.json'];
const MAIN = 'dist/apps/standalone/main.js';
const withoutExecve = ['--import', 'data:text/javascript,process.execve=undefined'];

/** A server that tells every signal it gets, and ends with 7 once it was told to go on after one. */
const server = `
process.stdout.write('ready\\n');
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.stdout.write(signal + '\\n'));
process.stdin.on('data', () => process.exit(7));
`;

const trials: TrialRepository[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const trial of trials.splice(0)) trial.remove();
});

function trialOf(files: Readonly<Record<string, string>>, ...settings: readonly string[]): TrialRepository {
  const trial = new TrialRepository(...scripts, ...settings);
  trials.push(trial);
  trial.write({ 'package.json': JSON.stringify({ type: 'module', engines: { node: '>=22.22' } }), ...files });
  return trial;
}

class StartedServer {
  output = '';
  readonly #child: ChildProcess;

  constructor(trial: TrialRepository, flags: readonly string[]) {
    this.#child = spawn('node', [...flags, 'scripts/start.mjs'], {
      cwd: trial.folder,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.push(this.#child);
    this.#child.stdout?.on('data', (text) => (this.output += String(text)));
  }

  async says(text: string): Promise<void> {
    await expect.poll(() => this.output, { timeout: 10_000 }).toContain(text);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async endsWith(): Promise<unknown> {
    const exit = once(this.#child, 'exit');
    this.#child.stdin?.write('go\n');
    return (await exit)[0];
  }
}

describe('the start script', () => {
  it.each([
    ['by becoming the server', []],
    ['by standing before the server, where a process cannot become another', withoutExecve],
  ])('hands on a signal once and keeps the exit code, %s', async (_, flags) => {
    const started = new StartedServer(trialOf({ [MAIN]: server }), flags);
    await started.says('ready');
    started.signal('SIGTERM');
    await started.says('SIGTERM');
    expect(await started.endsWith()).toBe(7);
    expect(started.output).toBe('ready\nSIGTERM\n');
  });

  it('says in one sentence that Node is too old when there is no other', () => {
    const trial = trialOf({ [MAIN]: server });
    rmSync(join(trial.folder, 'node_modules'));
    trial.write({ 'package.json': JSON.stringify({ type: 'module', engines: { node: '>=99.1' } }) });
    expect(trial.run('node', 'scripts/start.mjs')).toEqual({
      code: 1,
      output: `Parley needs Node 99.1 or newer and this is ${process.versions.node}: run "npm ci", which brings its own Node.\n`,
    });
  });

  it('says what to do when there is neither a build nor the tools to make one', () => {
    const trial = trialOf({});
    rmSync(join(trial.folder, 'node_modules'));
    const { code, output } = trial.run('node', 'scripts/start.mjs');
    expect({ code, output }).toEqual({
      code: 1,
      output: 'There is no current build and the build tools are not installed: run "npm ci" and then "npm start".\n',
    });
  });

  it('builds when the sources changed, and only then', () => {
    const sources = {
      'libs/contracts/src/index.ts': 'export const word: string = "first";\n',
      'apps/standalone/src/main.ts': "import { word } from '@parley/contracts';\nprocess.stdout.write(`${word}\\n`);\n",
    };
    const trial = trialOf(sources, ...buildSettings);
    const start = () => trial.run('node', 'scripts/start.mjs').output;

    expect(start()).toMatch(/^first\nBuilt standalone in \d+ ms\.\n$/);
    expect(start()).toBe('first\n');
    trial.write({ 'libs/contracts/src/index.ts': 'export const word: string = "second";\n' });
    expect(start()).toMatch(/^second\nBuilt standalone in \d+ ms\.\n$/);
  });

  it('lets a bundle know where it is, and not where it was built', () => {
    const trial = trialOf(
      { 'apps/standalone/src/main.ts': 'process.stdout.write(import.meta.url);\n' },
      ...buildSettings,
    );
    expect(trial.run('node', 'scripts/start.mjs').output).toContain(pathToFileURL(join(trial.folder, MAIN)).href);
    expect(readFileSync(join(trial.folder, MAIN), 'utf8')).not.toContain('file://');
  });

  it('leaves the last good build in place when a build fails', () => {
    const trial = trialOf(
      { 'apps/standalone/src/main.ts': "import './missing.js';\n", [MAIN]: server },
      ...buildSettings,
    );
    const { code, output } = trial.run('node', 'scripts/start.mjs');
    expect(code).toBe(1);
    expect(output).toContain('missing.js');
    expect(readFileSync(join(trial.folder, MAIN), 'utf8')).toBe(server);
  });
});
