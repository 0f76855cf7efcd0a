import { runTool } from './run-tool.js';

const [say, complain] = [process.stdout, process.stderr].map(
  (stream) =>
    (line: string): void =>
      void stream.write(`${line}\n`),
) as [(line: string) => void, (line: string) => void];

// Whoever read has heard enough (`parley lag | head`): what has begun is finished all the same.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
});

// Without this a signal would end the process at once, and leave a database server that it has started for itself.
for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
  process.on(signal, () => process.exit(128 + number));
}

// Everything that was opened is closed by then; what a library has left behind keeps nobody waiting.
process.exitCode = await runTool(process.argv.slice(2), process.env, { say, complain });
setTimeout(() => process.exit(), 2_000).unref();
