import { reasonOf } from '@parley/domain';
import { loadConfiguration } from '@parley/infra/config';
import { readCommandLine, USAGE, UsageError } from './command-line.js';
import { deadLetters } from './dead-letters.js';
import { doctor } from './doctor.js';
import { lag } from './lag.js';
import { migrate } from './migrate.js';
import { rebuild } from './rebuild.js';

export interface ToolOutput {
  say: (line: string) => void;
  complain: (line: string) => void;
}

/** @returns the exit code: 0 when all is well, 1 when something is to be done, 2 when the command line is wrong */
export async function runTool(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  { say, complain }: ToolOutput,
): Promise<number> {
  if (args.includes('--help') || args.length === 0) {
    say(USAGE.trimEnd());
    return args.length === 0 ? 2 : 0;
  }
  try {
    const { command, words, flags } = readCommandLine(args);
    const tool = { config: loadConfiguration(environment), say };
    switch (command) {
      case 'migrate':
        return await migrate(tool);
      case 'doctor':
        return await doctor(tool);
      case 'lag':
        return await lag(tool);
      case 'rebuild':
        return await rebuild(tool, flags);
      default:
        return await deadLetters(tool, words);
    }
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`${error.message}\n\n${USAGE.trimEnd()}`);
      return 2;
    }
    complain(reasonOf(error));
    return 1;
  }
}
