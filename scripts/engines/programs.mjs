// Programs that run to their end, and where they are.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { EngineError } from './engine-error.mjs';

const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
/** As much of what a program said as belongs into an error. */
const LAST_LINES = 12;

/** True when this process should act as if the machine had no Java, Maven or Redis: everything comes as packages. */
export function ignoresInstalledPrograms(env = process.env) {
  return env.ENGINES_IGNORE_INSTALLED === '1';
}

/** The path of a program on the PATH, or undefined. */
export function findProgram(name, env = process.env) {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const path = join(folder || '.', name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * Runs a program to its end.
 * @returns what it wrote, both streams in one
 * @throws EngineError when it cannot be started, fails, or takes longer than `timeoutMs`
 */
export function run(command, args, { cwd, env = process.env, timeoutMs, uid, gid } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, uid, gid, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let isLate = false;
    const collect = (chunk) => (output = (output + chunk).slice(-OUTPUT_BYTES_MAX));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new EngineError(`${command} could not be started: ${error.message}.`));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(output);
      const how = isLate ? `took longer than ${timeoutMs / 1000} s` : `ended with ${signal ?? `code ${code}`}`;
      return reject(new EngineError(`${command} ${how}:\n${lastLines(output)}`));
    });
  });
}

/** The end of a text, for an error message. */
export function lastLines(text) {
  return text.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
}
