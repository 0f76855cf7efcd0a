// `npm start`: builds when the sources changed, then becomes the server.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtHash, hasSources, root, sourceHash } from './sources.mjs';

const main = join(root, 'dist', 'apps', 'standalone', 'main.js');

function refuse(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function isNewEnough(version, wanted) {
  const [major, minor] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** The Node that runs the server: the one installed with the development dependencies, else this one if it will do. */
function chooseNode() {
  const bundled = join(root, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(bundled)) return bundled;
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = engines.node.replace(/^>=/, '');
  if (isNewEnough(process.versions.node, wanted)) return process.execPath;
  return refuse(
    `Parley needs Node ${wanted} or newer and this is ${process.versions.node}: run "npm ci", which brings its own Node.`,
  );
}

function buildIfNeeded(node) {
  if (existsSync(main) && (!hasSources() || builtHash() === sourceHash())) return;
  if (!existsSync(join(root, 'node_modules', '@nestjs', 'cli'))) {
    refuse('There is no current build and the build tools are not installed: run "npm ci" and then "npm start".');
  }
  const { status } = spawnSync(node, [join(root, 'scripts', 'build.mjs')], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** One process less to signal, to wait for and to lose: this process turns into the server where the system can do that. */
function become(node, args, env) {
  if (process.execve) {
    process.emitWarning = () => {}; // execve is marked experimental; that is no news to whoever starts a chat server.
    process.execve(node, [node, ...args], env);
  }
  // Its own process group: otherwise a Ctrl-C would reach the server twice, from the terminal and from here.
  const server = spawn(node, args, { stdio: 'inherit', env, detached: true });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => server.kill(signal));
  server.on('error', (error) => refuse(`The server could not be started: ${error.message}`));
  server.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

const node = chooseNode();
buildIfNeeded(node);
become(node, ['--enable-source-maps', '--max-semi-space-size=64', main, ...process.argv.slice(2)], {
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node-compile-cache'),
  ...process.env,
});
