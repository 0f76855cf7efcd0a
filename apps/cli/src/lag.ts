import { type AppConfig, logEndsOf, type PartitionCondition, partitionConditions } from '@parley/infra';
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
    return 0;
  } finally {
    await database.close();
  }
}

const pad = (value: number | string, width: number): string => String(value).padStart(width);
