import { runTool } from './run-tool.js';

const [say, complain] = [process.stdout, process.stderr].map(
  (stream) =>
    (line: string): void =>
      void stream.write(`${line}\n`),
) as [(line: string) => void, (line: string) => void];

// Everything that was opened is closed by then; what a library has left behind keeps nobody waiting.
process.exitCode = await runTool(process.argv.slice(2), process.env, { say, complain });
setTimeout(() => process.exit(), 2_000).unref();
