// Bundles every application that has a main file, and the web client, beside the old build, and swaps the finished one in.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

/** What a tool wrote goes to the terminal only when it fails. @throws what keeps it from starting */
async function succeeds(args) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    // Also where a test asks for it, whose environment would have the web client built with React of development.
    env: { ...process.env, NODE_ENV: 'production', PARLEY_BUILD_DIR: fresh, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = await once(child, 'close');
  if (code !== 0) process.stderr.write(`${output}\n`);
  return code === 0;
}

const began = performance.now();
const hash = sourceHash();
const parts = [...apps];
const builds = [succeeds([join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js'), 'build', ...apps])];
if (existsSync(join(root, 'apps', 'web', 'index.html'))) {
  parts.push('web');
  builds.push(succeeds([join(root, 'scripts', 'build-web.mjs'), join(fresh, 'web')]));
}
try {
  if (!(await Promise.all(builds)).every(Boolean)) {
    process.stderr.write('The build failed.\n');
    process.exitCode = 1;
  } else {
    writeFileSync(join(fresh, 'build.json'), `${JSON.stringify({ sourceHash: hash, apps: parts })}\n`);
    if (existsSync(target)) renameSync(target, outgoing);
    renameSync(fresh, target);
    process.stderr.write(`Built ${parts.join(', ')} in ${Math.round(performance.now() - began)} ms.\n`);
  }
} finally {
  for (const left of [fresh, outgoing]) rmSync(left, { recursive: true, force: true });
}
