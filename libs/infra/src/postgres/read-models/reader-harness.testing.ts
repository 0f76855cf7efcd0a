import { randomUUID } from 'node:crypto';
import type { ReadModelWrite, WriteReadModels } from '../../../../domain/src/ports/testing/conversation-world.js';
import { CONVERSATIONS, MEMBERS, RECEIPTS } from '../checkpoint/checkpoint-fragments.js';
import { type Database, openDatabase } from '../database.js';
import { startTestPostgres } from '../embedded/testing.js';
import { MESSAGES } from '../message-store/message-fragments.js';
import { partOf, type Statement, statementOf } from '../sql/fragment.js';
import { PostgresConversationReader } from './postgres-conversation-reader.js';

export interface PostgresReaderHarness {
  database: Database;
  url: string;
  reader: PostgresConversationReader;
  write: WriteReadModels;
  addUser(displayName: string): Promise<string>;
  close(): Promise<void>;
}

/** The part of the pipeline's commit that queries read. */
export function readModelStatement(write: ReadModelWrite): Statement {
  return statementOf(
    [
      partOf(MESSAGES, write.messages),
      partOf(CONVERSATIONS, write.conversations),
      partOf(MEMBERS, write.members),
      partOf(RECEIPTS, write.receipts),
    ],
    'SELECT 1',
  );
}

export async function openReaderHarness(): Promise<PostgresReaderHarness> {
  const server = await startTestPostgres();
  const database = await openDatabase({ url: server.url, poolSize: 4 });
  return {
    database,
    url: server.url,
    reader: new PostgresConversationReader(database),
    write: async (write) => {
      await database.pool.query(readModelStatement(write));
    },
    addUser: async (displayName) => {
      const userId = randomUUID();
      await database.pool.query(
        `INSERT INTO users (user_id, username, display_name, display_name_key) VALUES ($1, $2, $3, lower($3))`,
        [userId, `u-${userId.slice(0, 8)}`, displayName],
      );
      return userId;
    },
    close: async () => {
      await database.close();
      await server.stop();
    },
  };
}
