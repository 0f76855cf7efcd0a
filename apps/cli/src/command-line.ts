import { parseArgs } from 'node:util';

export const USAGE = `Usage: parley COMMAND, with the variables of the server's configuration

  migrate                 brings Postgres, Cassandra and the topics of Kafka up to this version
  doctor                  asks each engine how it is; ends with 1 when something needs to be done
  lag                     how many records wait in each partition, and who owns it; how far each event handler is
  rebuild [--check] [--messages] [--conversation ID]
                          makes the read models anew from the event stream; --check only says what differs,
                          --messages also appends messages that the message store has lost
  dead-letters list [HANDLER]
                          commands that could not be decided, and events that a handler could not handle
  dead-letters show PLACE
  dead-letters retry PLACE|HANDLER
  dead-letters drop PLACE|HANDLER
                          PLACE as the list tells it: 3:1207, or push:3:1207:0; HANDLER: all of its events, such as push
`;

export interface CommandLine {
  command: string;
  words: readonly string[];
  flags: { check: boolean; messages: boolean; conversation: string | undefined };
}

/** A command that does not exist, or not like this. */
export class UsageError extends Error {}

const COMMANDS: Readonly<Record<string, { words: readonly [min: number, max: number]; flags: readonly string[] }>> = {
  migrate: { words: [0, 0], flags: [] },
  doctor: { words: [0, 0], flags: [] },
  lag: { words: [0, 0], flags: [] },
  rebuild: { words: [0, 0], flags: ['check', 'messages', 'conversation'] },
  'dead-letters': { words: [1, 2], flags: [] },
};

/** @throws UsageError with a sentence */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parsed(args);
  const [command = '', ...words] = positionals;
  const known = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (!known) throw new UsageError(command === '' ? 'No command was given.' : `There is no command ${command}.`);
  if (words.length < known.words[0] || words.length > known.words[1]) {
    throw new UsageError(`${command} takes other words than these: ${words.join(' ') || 'none'}.`);
  }
  for (const flag of Object.keys(values)) {
    if (!known.flags.includes(flag)) throw new UsageError(`${command} has no --${flag}.`);
  }
  const { check = false, messages = false, conversation } = values;
  if (check && messages) throw new UsageError('--check changes nothing, and --messages does: take one of them.');
  return { command, words, flags: { check, messages, conversation } };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        check: { type: 'boolean' },
        messages: { type: 'boolean' },
        conversation: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
