import { randomUUID } from 'node:crypto';
import {
  openDatabase,
  openPipelineAdapters,
  type PipelineAdapters,
  postgresCondition,
  ReadModelRebuild,
  type RebuildReport,
} from '@parley/infra';
import type { Tool } from './tool.js';
import { openToolDatabase, type ToolDatabase } from './tool-database.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface RebuildFlags {
  check: boolean;
  messages: boolean;
  conversation: string | undefined;
}

/** @returns 1 when `--check` found a difference @throws in a sentence what stops it; run again, it goes on from there */
export async function rebuild({ config, say }: Tool, flags: RebuildFlags): Promise<number> {
  const conversationId = flags.conversation?.toLowerCase();
  if (conversationId !== undefined && !UUID.test(conversationId)) {
    throw new Error(`${flags.conversation} is not the id of a conversation.`);
  }
  const tool = await openToolDatabase(config, 'change');
  try {
    const { partitions } = await upToDate(tool);
    const report = await withAdapters({ config, say }, tool, ({ stream, store }) =>
      ReadModelRebuild.run({
        databaseUrl: tool.url,
        stream,
        partitions,
        store: flags.messages ? store : null,
        conversationId,
        checkOnly: flags.check,
        onProgress: say,
      }),
    );
    tell(report, flags, say);
    const { conversations, members, strangers, receipts, mediaUses } = report;
    return flags.check && conversations + members + strangers + receipts + mediaUses > 0 ? 1 : 0;
  } finally {
    await tool.close();
  }
}

/** A database of another version has other tables. @throws Error in a sentence */
export async function upToDate({ pool }: ToolDatabase): Promise<{ partitions: number }> {
  const { migrationsMissing, migrationsUnknown, partitions } = await postgresCondition(pool);
  if (migrationsMissing.length > 0) throw new Error('The database is not up to date: run "parley migrate" first.');
  if (migrationsUnknown.length > 0)
    throw new Error('The database was made by a newer version of Parley: use that one.');
  return { partitions: partitions.length };
}

/** With the engines that the configuration chose; they are closed at the end. */
export async function withAdapters<T>(
  { config, say }: Tool,
  { url }: ToolDatabase,
  work: (adapters: PipelineAdapters) => Promise<T>,
): Promise<T> {
  const onTrouble = (what: string, error: unknown): void =>
    say(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  const database = await openDatabase({ url, poolSize: 4 });
  try {
    const clientId = `parley-cli-${randomUUID()}`;
    // Never alone: what a server keeps in memory is not for a tool.
    const options = { config, database, databaseUrl: url, alone: false, clientId, onTrouble };
    const adapters = await openPipelineAdapters(options);
    try {
      return await work(adapters);
    } finally {
      await adapters.close();
    }
  } finally {
    await database.close();
  }
}

function tell(report: RebuildReport, { check, messages }: RebuildFlags, say: Tool['say']): void {
  const { conversations, members, strangers, receipts, mediaUses, events } = report;
  say(`${events} events were replayed.`);
  const membership = `${members} members, ${strangers} members too many`;
  const rows = `${conversations} conversations, ${membership}, ${receipts} receipts, ${mediaUses} uses of media`;
  say(check ? `Different from the event stream: ${rows}.` : `Put right: ${rows}.`);
  if (messages) say(`${report.messages} messages were appended again, so far as the store lacked them.`);
  if (report.eventsWithoutBeginning > 0) {
    say(`${report.eventsWithoutBeginning} events are of conversations whose beginning the stream has lost.`);
  }
  if (report.unknownToStream > 0) {
    say(`${report.unknownToStream} conversations are not in the stream; they stay as they are.`);
  }
}
