import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const COMMAND_TIMEOUT_MS = 60_000;

export interface Run {
  readonly code: number;
  readonly output: string;
}

/**
 * A throw-away repository with our own tool settings and whatever files a test puts into it, so that a rule can be seen
 * to refuse something without that something lying about in the real sources.
 */
export class TrialRepository {
  readonly folder = mkdtempSync(join(tmpdir(), 'parley trial-'));

  /** @param settings files of the real repository that the tool under test reads */
  constructor(...settings: readonly string[]) {
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
    for (const name of settings) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      copyFileSync(join(ROOT, name), join(this.folder, name));
    }
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }

  /** Runs a tool of ours in the trial repository; a tool that cannot be started is an error, not an outcome. */
  run(command: string, ...args: readonly string[]): Run {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: this.folder,
      encoding: 'utf8',
      timeout: COMMAND_TIMEOUT_MS,
      env: {
        ...process.env,
        PATH: `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env['PATH']}`,
        NO_COLOR: '1',
      },
    });
    if (error) throw error;
    return { code: status ?? -1, output: `${stdout}${stderr}` };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A file of the real repository, by its path from the top. */
export function repositoryPath(...parts: readonly string[]): string {
  return join(ROOT, ...parts);
}
