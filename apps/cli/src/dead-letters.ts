import { randomUUID } from 'node:crypto';
import {
  type CommandRecord,
  type DeadLetterPlace,
  type HandlerDeadLetter,
  type Outcome,
  parseCommandRecord,
} from '@parley/domain';
import { DeadCommands, type PipelineAdapters, PostgresHandlerProgress } from '@parley/infra';
import { decideHere } from './decide-here.js';
import { upToDate, withAdapters } from './rebuild.js';
import type { Tool } from './tool.js';
import { openToolDatabase, type ToolDatabase } from './tool-database.js';

const LISTED_MAX = 200;
const OUTCOME_MS_MAX = 10_000;

type CommandPlace = Parameters<DeadCommands['find']>[0];
type Place = { command: CommandPlace } | { event: DeadLetterPlace };
/** A name as event handlers have them; it is no number. */
const HANDLER = /^(?!\d+$)[a-z0-9-]{1,64}$/;

/** `3:1207` is a command's place, `push:3:1207:0` an event's. @throws Error in a sentence */
export function readPlace(text: string): Place {
  const command = /^(\d{1,4}):(\d{1,15})$/.exec(text);
  if (command) return { command: { partition: Number(command[1]), offset: Number(command[2]) } };
  const event = /^([^:\s]+):(\d{1,4}):(\d{1,15}):(\d{1,9})$/.exec(text);
  if (!event)
    throw new Error(`${text || 'Nothing'} is not the place of a dead letter, such as 3:1207 or push:3:1207:0.`);
  const [, handler = '', ...numbers] = event;
  const [partition = 0, offset = 0, index = 0] = numbers.map(Number);
  return { event: { handler, partition, offset, index } };
}

/** @returns 1 when the place does not exist, or what was tried again failed again */
export async function deadLetters(tool: Tool, [verb = '', place = '']: readonly string[]): Promise<number> {
  if (verb === 'list') return withDatabase(tool, (database) => list(tool, database, place || null));
  if ((verb === 'retry' || verb === 'drop') && HANDLER.test(place)) return ofHandler(tool, verb, place);
  const wanted = readPlace(place);
  switch (verb) {
    case 'show':
      return withDatabase(tool, (database) => show(tool, database, wanted));
    case 'drop':
      return withDatabase(tool, (database) => drop(tool, database, wanted));
    case 'retry':
      return 'command' in wanted ? retryCommand(tool, wanted.command) : retryEvent(tool, wanted.event);
    default:
      throw new Error(`dead-letters can list, show, retry and drop, not ${verb}.`);
  }
}

async function withDatabase<T>({ config }: Tool, work: (database: ToolDatabase) => Promise<T>): Promise<T> {
  const database = await openToolDatabase(config, 'look');
  try {
    await upToDate(database);
    return await work(database);
  } finally {
    await database.close();
  }
}

/** All that a handler gave up, as after an outage of what it speaks to. */
async function ofHandler(tool: Tool, verb: 'retry' | 'drop', handler: string): Promise<number> {
  return withDatabase(tool, async ({ pool }) => {
    const progress = new PostgresHandlerProgress(pool);
    const count = await (verb === 'retry' ? progress.retryDeadLetters(handler) : progress.discardDeadLetters(handler));
    if (count === 0) {
      tool.say(`There is no dead letter of a handler ${handler}.`);
      return 1;
    }
    tool.say(
      verb === 'drop' ? `${count} forgotten.` : `The handler ${handler} tries ${count} again, with all attempts.`,
    );
    return 0;
  });
}

async function list({ say }: Tool, { pool }: ToolDatabase, handler: string | null): Promise<number> {
  const commands = handler === null ? await new DeadCommands(pool).list(LISTED_MAX) : [];
  const events = await new PostgresHandlerProgress(pool).deadLetters(handler, null, LISTED_MAX);
  for (const { partition, offset, at, payload, reason } of commands) {
    say(
      `${partition}:${offset}  ${timeOf(at)}  ${parseCommandRecord(payload)?.command.type ?? 'unreadable'}  ${reason}`,
    );
  }
  for (const event of events) {
    const why = event.lastError ?? 'no reason given';
    say(`${placeOf(event)}  ${timeOf(event.at)}  after ${event.attempts} attempts  ${why}`);
  }
  const more = commands.length === LISTED_MAX || events.length === LISTED_MAX ? `, ${LISTED_MAX} of each at most` : '';
  say(`${commands.length} commands, ${events.length} events${more}.`);
  return 0;
}

async function show({ say }: Tool, { pool }: ToolDatabase, place: Place): Promise<number> {
  const found =
    'command' in place ? await new DeadCommands(pool).find(place.command) : await eventAt(pool, place.event);
  if (!found) return missing(say);
  // The text of a message is in it: whoever may run this may read the database as well.
  say(JSON.stringify({ ...found, at: timeOf(found.at) }, null, 2));
  return 0;
}

async function eventAt(pool: ToolDatabase['pool'], place: DeadLetterPlace): Promise<HandlerDeadLetter | null> {
  const before = { ...place, index: place.index - 1 };
  const [next] = await new PostgresHandlerProgress(pool).deadLetters(place.handler, before, 1);
  return next && placeOf(next) === placeOf(place) ? next : null;
}

async function drop({ say }: Tool, { pool }: ToolDatabase, place: Place): Promise<number> {
  const dropped =
    'command' in place
      ? await new DeadCommands(pool).drop(place.command)
      : await new PostgresHandlerProgress(pool).discardDeadLetter(place.event);
  if (!dropped) return missing(say);
  say('Forgotten.');
  return 0;
}

async function retryEvent(tool: Tool, place: DeadLetterPlace): Promise<number> {
  return withDatabase(tool, async ({ pool }) => {
    if (!(await new PostgresHandlerProgress(pool).retryDeadLetter(place))) return missing(tool.say);
    tool.say(`The handler ${place.handler} tries it again, with all its attempts.`);
    return 0;
  });
}

/**
 * Appends the command once more, as its sender did. Its letter is forgotten when the log has it, so at worst it is
 * appended twice: a send is then recognised by its key.
 */
async function retryCommand(tool: Tool, place: CommandPlace): Promise<number> {
  const { say } = tool;
  const database = await openToolDatabase(tool.config, 'change');
  try {
    await upToDate(database);
    const letters = new DeadCommands(database.pool);
    const letter = await letters.find(place);
    if (!letter) return missing(say);
    const record = parseCommandRecord(letter.payload);
    if (!record) throw new Error('Nobody can read this record, so it cannot be tried again: "show" it, or "drop" it.');
    return await withAdapters(tool, database, async (adapters) => {
      const outcome = await appendAgain(adapters, record, say, () => letters.drop(place));
      return tellOutcome(outcome, say);
    });
  } finally {
    await database.close();
  }
}

async function appendAgain(
  adapters: PipelineAdapters,
  record: CommandRecord,
  say: Tool['say'],
  onDurable: () => Promise<unknown>,
): Promise<Outcome | null> {
  const { log, replies } = adapters;
  const commandId = randomUUID();
  const origin = { processId: replies.processId, connectionId: null };
  const outcome = replies.expect(commandId, OUTCOME_MS_MAX);
  const again = { ...record, commandId, origin, submittedAt: Date.now() };
  if (log.durableAt === 'append') {
    await log.append([again]);
    await onDurable();
    return outcome;
  }
  const decided = await decideHere(adapters, again, outcome, say);
  if (decided !== null) await onDurable();
  return decided;
}

function tellOutcome(outcome: Outcome | null, say: Tool['say']): number {
  if (outcome === null) {
    say('It is in the log, or will be; its outcome did not come within 10 s.');
    return 0;
  }
  if (outcome.kind !== 'refused') {
    say(`Decided: ${outcome.kind}.`);
    return 0;
  }
  const again = outcome.code === 'internal' ? ' It was set aside once more, under another place.' : '';
  say(`Refused: ${outcome.code}.${again}`);
  return 1;
}

function missing(say: Tool['say']): number {
  say('There is no dead letter at that place.');
  return 1;
}

const timeOf = (at: number): string => new Date(at).toISOString();

const placeOf = ({ handler, partition, offset, index }: DeadLetterPlace): string =>
  `${handler}:${partition}:${offset}:${index}`;
