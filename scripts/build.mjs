// Bundles every application that has a main file, beside the old build, and swaps the finished one in.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, sourceHash } from './sources.mjs';

const target = join(root, 'dist');
const fresh = join(root, `.dist-${process.pid}-new`);
const outgoing = join(root, `.dist-${process.pid}-old`);

const { projects } = JSON.parse(readFileSync(join(root, 'nest-cli.json'), 'utf8'));
const apps = Object.keys(projects).filter((name) => existsSync(join(root, projects[name].sourceRoot, 'main.ts')));
if (apps.length === 0) {
  process.stderr.write('Nothing to build: no application has a src/main.ts.\n');
  process.exit(1);
}

const began = performance.now();
const hash = sourceHash();
try {
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  const { status, stdout, error } = spawnSync(process.execPath, [nest, 'build', ...apps], {
    cwd: root,
    env: { ...process.env, PARLEY_BUILD_DIR: fresh, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (error) throw error;
  if (status !== 0) {
    process.stderr.write(`${stdout}\nThe build failed.\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(join(fresh, 'build.json'), `${JSON.stringify({ sourceHash: hash, apps })}\n`);
    if (existsSync(target)) renameSync(target, outgoing);
    renameSync(fresh, target);
    process.stderr.write(`Built ${apps.join(', ')} in ${Math.round(performance.now() - began)} ms.\n`);
  }
} finally {
  for (const left of [fresh, outgoing]) rmSync(left, { recursive: true, force: true });
}
