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

// Everything that was opened is closed by then; what a library has left behind keeps nobody waiting.
process.exitCode = await runTool(process.argv.slice(2), process.env, { say, complain });
setTimeout(() => process.exit(), 2_000).unref();
