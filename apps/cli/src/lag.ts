import type { HandlerStanding } from '@parley/domain';
import {
  type AppConfig,
  logEndsOf,
  type PartitionCondition,
  partitionConditions,
  PostgresHandlerProgress,
} from '@parley/infra';
import type { Pool } from 'pg';
import type { Tool } from './tool.js';
import { openToolDatabase } from './tool-database.js';

export interface PartitionLag extends PartitionCondition {
  /** Records that are in the log and not decided; null for a log that lives in the server's memory. */
  waiting: number | null;
}

/** How far the owners are behind the log, by partition. @throws what the database or the log throw */
export async function partitionLags(config: AppConfig, pool: Pool): Promise<PartitionLag[]> {
  const partitions = await partitionConditions(pool);
  const ends = await logEndsOf(config, pool, partitions.length);
  return partitions.map((each) => {
    const end = ends?.get(each.partition) ?? 0;
    return { ...each, waiting: ends && Math.max(0, end - each.nextOffset) };
  });
}

export async function lag({ config, say }: Tool): Promise<number> {
  const database = await openToolDatabase(config, 'look');
  try {
    const lags = await partitionLags(config, database.pool);
    say('partition  next offset   waiting  owner');
    for (const { partition, nextOffset, waiting, owner } of lags) {
      say(`${pad(partition, 9)}  ${pad(nextOffset, 11)}  ${pad(waiting ?? '-', 8)}  ${owner ?? 'nobody'}`);
    }
    const waiting = lags.reduce((sum, each) => sum + (each.waiting ?? 0), 0);
    const inMemory = config.adapters.commandLog === 'memory';
    say(
      inMemory
        ? 'The log is in the memory of the server: its metrics tell what waits there.'
        : `${waiting} records wait.`,
    );
    tellHandlers(await new PostgresHandlerProgress(database.pool).standings(), say);
    return 0;
  } finally {
    await database.close();
  }
}

/** As far as they have written it down, which those that have nothing to do only do now and then. */
function tellHandlers(handlers: readonly HandlerStanding[], say: Tool['say']): void {
  if (handlers.length === 0) return;
  say('event handler             behind   waiting  given up  processes');
  for (const { handler, workers, behindRecords, waitingEvents, deadEvents } of handlers) {
    const figures = `${pad(behindRecords, 10)}  ${pad(waitingEvents, 8)}  ${pad(deadEvents, 8)}  ${pad(workers, 9)}`;
    say(`${handler.padEnd(20)}  ${figures}`);
  }
}

const pad = (value: number | string, width: number): string => String(value).padStart(width);
