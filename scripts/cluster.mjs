// `npm run cluster`: 2 gateways, 1 api and 2 workers, or as many as are asked for, on engines of their own, until it is stopped (Ctrl-C).
// The engines' data goes with it; what runs where stands in a JSON file, whose path is printed when all are ready.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { administer, startEngines } from './engines/index.mjs';
import { buildIfStale } from './fresh-build.mjs';
import { root } from './sources.mjs';

const USAGE = `Usage: npm run cluster [-- --middle-way] [--given-engines] [--gateways 2] [--workers 2] [--apis 1]
  --middle-way      Postgres and Redis alone: log, events and messages are tables
  --given-engines   those that KAFKA_BROKERS, CASSANDRA_CONTACT_POINTS, REDIS_URL and POSTGRES_ADMIN_URL name,
                    with a database and names of its own on them
Variables of the configuration go to every process: RATE_LIMITS=off npm run cluster
`;
const PROCESSES_MAX = 32;
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 40_000;

const say = (line) => process.stderr.write(`${line}\n`);

function optionsOf(args) {
  const flag = { type: 'boolean', default: false };
  const options = { 'middle-way': flag, 'given-engines': flag };
  const counts = { worker: 'workers', gateway: 'gateways', api: 'apis' };
  for (const name of Object.values(counts)) options[name] = { type: 'string', default: name === 'apis' ? '1' : '2' };
  try {
    const { values } = parseArgs({ args, options });
    const names = Object.entries(counts).flatMap(([role, name]) => namesOf(role, countOf(name, values[name])));
    return { middleWay: values['middle-way'], givenEngines: values['given-engines'], names };
  } catch (error) {
    say(`${error.message}\n${USAGE.trimEnd()}`);
    process.exit(1);
  }
}

function countOf(name, text) {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= PROCESSES_MAX) return count;
  throw new Error(`--${name} is a number from 1 to ${PROCESSES_MAX}`);
}

const namesOf = (role, count) => Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);

/** Ports that were free a moment ago: the gateways' addresses must be known before they listen. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise((done) => server.listen(0, '127.0.0.1', done))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Engines that somebody else started and that others use too: everything there gets a name of its own. */
async function openGivenEngines() {
  const name = `parley_${randomBytes(6).toString('hex')}`;
  const { POSTGRES_ADMIN_URL, KAFKA_BROKERS, CASSANDRA_CONTACT_POINTS, REDIS_URL } = process.env;
  await administer(POSTGRES_ADMIN_URL, `CREATE DATABASE ${name}`);
  const database = new URL(POSTGRES_ADMIN_URL);
  database.pathname = `/${name}`;
  const env = {
    POSTGRES_ADMIN_URL: database.href,
    KAFKA_BROKERS,
    CASSANDRA_CONTACT_POINTS,
    REDIS_URL,
    KAFKA_TOPIC_PREFIX: name,
    CASSANDRA_KEYSPACE: name,
    REDIS_KEY_PREFIX: `${name}:`,
  };
  return { env, nodes: [], stop: () => administer(POSTGRES_ADMIN_URL, `DROP DATABASE ${name} WITH (FORCE)`) };
}

/** What all processes have in common; what the caller's environment says wins. */
function environmentOf({ engines, middleWay }) {
  const { POSTGRES_ADMIN_URL, ...addresses } = engines.env;
  const stores = middleWay ? { COMMAND_LOG: 'postgres', EVENT_STREAM: 'postgres', MESSAGE_STORE: 'postgres' } : {};
  return {
    PROFILE: 'cluster',
    DATABASE_URL: POSTGRES_ADMIN_URL,
    AUTH_JWT_SECRET: randomBytes(32).toString('base64url'),
    KAFKA_REPLICATION_FACTOR: '1',
    CASSANDRA_REPLICATION_FACTOR: '1',
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node-compile-cache'),
    ...addresses,
    ...stores,
    ...process.env,
  };
}

/** Starts one process; resolves when it says that it is ready, rejects with its last words. */
function startProcess(name, port, folder, env) {
  const logFile = join(folder, `${name}.log`);
  const log = createWriteStream(logFile);
  const main = join(root, 'dist', 'apps', name.split('-')[0], 'main.js');
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    cwd: root,
    env: { ...env, PORT: String(port), OTEL_SERVICE_NAME: `parley-${name}` },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A Ctrl-C reaches this script alone, which stops the processes in order.
    detached: true,
  });
  let tail = '';
  const ready = new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${name} is not ready after ${READY_MS_MAX / 1_000} s`)),
      READY_MS_MAX,
    );
    const hear = (chunk) => {
      log.write(chunk);
      tail = `${tail}${chunk}`.slice(-2_000);
      if (/^ready /m.test(tail)) {
        clearTimeout(timer);
        resolve();
      }
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`${name} ended (${signal ?? code}):\n${tail.trimEnd()}`));
    });
  });
  // Whoever waits hears of it; one that ends later is told by `watch`.
  ready.catch(() => {});
  return { name, role: name.split('-')[0], child, ready, logFile, url: `http://127.0.0.1:${port}` };
}

async function stopProcess({ name, child }) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => {
    say(`${name} did not stop in time and is killed`);
    child.kill('SIGKILL');
  }, STOP_MS_MAX);
  await ended;
  clearTimeout(timer);
}

/** Doors first: a worker that went before them would leave their last commands to nobody. */
async function stopAll(processes, engines) {
  await Promise.all(processes.filter(({ role }) => role !== 'worker').map(stopProcess));
  await Promise.all(processes.filter(({ role }) => role === 'worker').map(stopProcess));
  await engines.stop();
}

function writeState(file, processes, engines) {
  const state = {
    processes: processes.map(({ name, role, child, url, logFile }) => ({ name, role, pid: child.pid, url, logFile })),
    engines: engines.nodes.map(({ name, pid, address }) => ({ name, pid, address })),
  };
  writeFileSync(file, `${JSON.stringify(state, null, 2)}\n`);
}

const { middleWay, givenEngines, names } = optionsOf(process.argv.slice(2));
const buildCode = buildIfStale();
if (buildCode !== 0) process.exit(buildCode);
const stopping = new AbortController();
const signalled = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stopping.abort();
      resolve();
    });
  }
});
const engines = givenEngines
  ? await openGivenEngines()
  : await startEngines(middleWay ? ['redis', 'postgres'] : ['kafka', 'cassandra', 'redis', 'postgres']);
const folder = mkdtempSync(join(tmpdir(), 'parley-cluster-'));
const ports = await freePorts(names.length);
const urls = new Map(names.map((name, i) => [name, `http://127.0.0.1:${ports[i]}`]));
const env = environmentOf({ engines, middleWay });
const stateFile = join(folder, 'cluster.json');
const processes = [];
try {
  // The first one makes what all need; the others would only wait for it.
  for (const group of [names.slice(0, 1), names.slice(1)]) {
    if (stopping.signal.aborted) break;
    const started = group.map((name) => startProcess(name, ports[names.indexOf(name)], folder, env));
    processes.push(...started);
    await Promise.race([Promise.all(started.map(({ ready }) => ready)), signalled]);
  }
  if (!stopping.signal.aborted) {
    writeState(stateFile, processes, engines);
    for (const { name, child, logFile } of processes) {
      child.once('exit', (code, signal) => {
        if (!stopping.signal.aborted) say(`${name} ended (${signal ?? code}); its log: ${logFile}`);
      });
    }
    process.stdout.write(`ready ${urls.get('api-1')} ${stateFile}\n`);
    await signalled;
  }
} catch (error) {
  say(error.message);
  process.exitCode = 1;
} finally {
  stopping.abort();
  await stopAll(processes, engines);
  say(`stopped; logs: ${folder}`);
}
