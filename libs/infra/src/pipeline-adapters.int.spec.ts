import { partitionOf } from '@parley/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRecord } from '../../domain/src/ports/testing/send-record.js';
import { loadConfiguration } from './config/load-configuration.js';
import { openPipelineAdapters, type PipelineAdapters } from './pipeline-adapters.js';
import { UndecidedCommandsError } from './postgres/command-log/undecided-commands.js';
import { type Database, openDatabase } from './postgres/database.js';
import { startTestPostgres, type TestPostgres } from './postgres/embedded/testing.js';

const CONVERSATION = '0190a6c4-5f3e-7a41-9d2b-000000000001';

describe('the change from a log in a table to one in memory', () => {
  let server: TestPostgres;
  let database: Database;
  beforeAll(async () => {
    server = await startTestPostgres();
    database = await openDatabase({ url: server.url, poolSize: 4 });
  });
  afterAll(async () => {
    await database.close();
    await server.stop();
  });

  const open = (commandLog: string): Promise<PipelineAdapters> =>
    openPipelineAdapters({
      config: loadConfiguration({ DATABASE_URL: server.url, COMMAND_LOG: commandLog }),
      database,
      databaseUrl: server.url,
      alone: true,
      clientId: 'test',
      onTrouble: () => {},
    });

  it('is refused while the table holds commands that were promised and not decided, and allowed once they are', async () => {
    await (await open('memory')).close();
    const shared = await open('postgres');
    await shared.log.append([sendRecord(CONVERSATION)]);
    await shared.close();
    await expect(open('memory')).rejects.toBeInstanceOf(UndecidedCommandsError);
    const decided = partitionOf(CONVERSATION, shared.log.partitions);
    await database.pool.query('UPDATE partition_progress SET next_offset = 1 WHERE partition = $1', [decided]);
    await (await open('memory')).close();
  });
});
