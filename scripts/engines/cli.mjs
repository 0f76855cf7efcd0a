// `npm run engines -- up|down|status|kill|pause|resume [ENGINE…] [--set NAME]`
import { EngineError } from './engine-error.mjs';
import { EngineSet } from './engine-set.mjs';

const USAGE = `Usage: npm run -s engines -- COMMAND [ENGINE…] [--set NAME]
  up ENGINE…       starts kafka, cassandra, redis, postgres, s3, or again what was killed; prints their variables
  down [ENGINE…]   stops all, or these, and removes their data
  status           says what runs where
  kill ENGINE…     ends them at once (SIGKILL) and keeps their data
  pause ENGINE…    halts them (SIGSTOP)
  resume ENGINE…   lets them go on (SIGCONT)
`;

const say = (line) => process.stderr.write(`${line}\n`);

const commands = {
  async up(set, names) {
    needNames(names);
    await set.start(names, ({ name, address, pid }, ms) =>
      say(`${name} is ready at ${address} (pid ${pid}) after ${(ms / 1000).toFixed(1)} s`),
    );
    say(`What runs where: ${set.stateFile}`);
    for (const [name, value] of Object.entries(set.env)) process.stdout.write(`${name}=${value}\n`);
  },
  async down(set, names) {
    const stopped = await set.stop(names.length > 0 ? names : undefined);
    say(stopped.length > 0 ? `stopped: ${stopped.join(', ')}` : 'nothing to stop');
  },
  async status(set) {
    for (const { name, pid, address, isRunning, record } of set.nodes) {
      const state = isRunning ? `pid ${pid}` : 'not running';
      process.stdout.write(`${name}  ${state}  ${address}  ${record.folder}  ${record.logFile}\n`);
    }
    if (set.nodes.length === 0) say('no engines');
  },
  kill: (set, names) => eachOf(set, names, (node) => node.kill()),
  pause: (set, names) => eachOf(set, names, (node) => node.pause()),
  resume: (set, names) => eachOf(set, names, (node) => node.resume()),
};

function needNames(names) {
  if (names.length === 0) throw new EngineError(`Name at least one engine.\n${USAGE}`);
}

async function eachOf(set, names, act) {
  needNames(names);
  const nodes = names.map((name) => {
    const node = set.nodes.find((one) => one.name === name);
    if (!node) throw new EngineError(`${name} was not started in this set.`);
    return node;
  });
  for (const node of nodes) await act(node);
}

function parse(args) {
  const [command, ...rest] = args;
  if (!Object.hasOwn(commands, command ?? '')) throw new EngineError(USAGE);
  const at = rest.indexOf('--set');
  if (at < 0) return { command, names: rest, setName: 'default' };
  return { command, names: rest.toSpliced(at, 2), setName: rest[at + 1] ?? '' };
}

async function main(args) {
  const { command, names, setName } = parse(args);
  const set = await EngineSet.named(setName);
  const unlock = await set.lock();
  try {
    await commands[command](await EngineSet.named(setName), names);
  } finally {
    await unlock();
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof EngineError)) throw error;
  say(error.message.trimEnd());
  process.exitCode = 1;
}
