// `npm run demo`: the server on data of its own that goes with it, and people in it who talk, read and answer, until it is
// stopped (Ctrl-C). Everything they do goes through the SDK. PORT and HOST count as for `npm start`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChatter } from './demo/chatter.mjs';
import { CAST, GUEST, PASSWORD, seed, signUpAll } from './demo/people.mjs';
import { loadSdk } from './demo/sdk.mjs';
import { root } from './sources.mjs';

const USAGE = `Usage: npm run demo [-- --messages 10000]
  --messages N   one more conversation with N messages, at most 100000
`;
const MESSAGES_MAX = 100_000;
const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 40_000;

const say = (line) => process.stdout.write(`${line}\n`);
const complain = (fault) => process.stderr.write(`${fault instanceof Error ? fault.message : String(fault)}\n`);

function messagesOf(args) {
  if (args.length === 0) return 0;
  const count = args[0] === '--messages' && args.length === 2 ? Number(args[1]) : NaN;
  if (Number.isInteger(count) && count >= 0 && count <= MESSAGES_MAX) return count;
  process.stderr.write(USAGE);
  return process.exit(1);
}

/** The server as `npm start` runs it; its other words go to the error output, so that what is printed here stands out. */
function startServer(dataDir) {
  const env = { LOG_LEVEL: 'warn', ...process.env, DATA_DIR: dataDir, PROFILE: 'embedded', RATE_LIMITS: 'off' };
  delete env.DATABASE_URL;
  const args = [join(root, 'scripts', 'start.mjs')];
  // Its own process group: a Ctrl-C would reach it twice, from the terminal and from here, and twice means at once.
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  let output = '';
  const ready = new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error('The server did not become ready')), READY_MS_MAX);
    const end = (then) => {
      clearTimeout(timer);
      then();
    };
    child.once('error', (error) => end(() => fail(error)));
    child.once('exit', () => end(() => fail(new Error('The server did not start'))));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stderr.write(text);
      output = (output + text).slice(-10_000);
      const url = /^ready (\S+)/m.exec(output)?.[1];
      if (url) end(() => done(url));
    });
  });
  return { child, ready };
}

/** Ends in order, and by force what does not. @returns the exit code */
async function stopServer(child) {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? 1;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  const [code] = await exit;
  clearTimeout(timer);
  return code ?? 1;
}

async function tokensOf(url) {
  const entries = CAST.map(async ({ username }) => {
    const answer = await fetch(`${url}/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: PASSWORD }),
      signal: AbortSignal.timeout(30_000),
    });
    return [username, (await answer.json()).accessToken];
  });
  return Object.fromEntries(await Promise.all(entries));
}

const messages = messagesOf(process.argv.slice(2));
const dataDir = mkdtempSync(join(tmpdir(), 'parley-demo-'));
// Started by root, the database server runs as somebody else, who has to get in.
chmodSync(dataDir, 0o711);
const stopped = new Promise((done) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => done(signal));
});
const { child, ready } = startServer(dataDir);
let people = {};
let stopChatter = () => {};

async function run() {
  const [sdk, url] = await Promise.all([loadSdk(), ready]);
  people = await signUpAll(sdk, url, complain);
  const roomId = await seed(people, messages > 0 ? await tokensOf(url) : {}, url, messages);
  const guestId = people[GUEST.username].userId;
  await people[GUEST.username].close();
  stopChatter = startChatter(people, roomId, guestId, complain);
  say(`\nOpen ${url} and log in as ${GUEST.username} with the password ${PASSWORD}`);
  say(`(${CAST.map(({ username }) => username).join(', ')} have the same one). Ctrl-C ends it and forgets everything.`);
}

const failed = run().then(
  () => new Promise(() => {}),
  (fault) => fault,
);
const gone = once(child, 'exit').then(() => new Error('The server has ended'));
const end = await Promise.race([stopped, failed, gone]);
if (end instanceof Error) complain(end);
stopChatter();
await Promise.all(Object.values(people).map((client) => client.close()));
const code = await stopServer(child);
rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
process.exit(end instanceof Error ? 1 : code);
