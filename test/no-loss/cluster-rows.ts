import { Client, types } from 'cassandra-driver';
import pg from 'pg';
import { KafkaEventStream } from '../../libs/infra/src/kafka/index.js';
import { recordEvents, recordReadModels, type RecordedEvent } from './final-rows.js';
import { contentHash, type HistoryRecorder } from './history.js';

const ROWS_AT_ONCE = 1_000;
const EVENTS_AT_ONCE = 500;

type Environment = Readonly<Record<string, string>>;

interface MessageCells extends types.Row {
  conversation_id: types.Uuid;
  seq: types.Long;
  message_id: types.Long;
  rev: types.Long;
  sender_id: types.Uuid;
  client_msg_id: string;
  content: string;
}

/** What the engines hold, read past the server's own readers as far as that tells anything. */
export async function recordClusterStores(
  env: Environment,
  history: HistoryRecorder,
): Promise<{ deadLetters: number }> {
  const client = new pg.Client({ connectionString: env['DATABASE_URL'] });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM partition_progress');
    for (let partition = 0; partition < Number(rows[0]?.count); partition++) {
      recordEvents(await eventsOf(env, partition), history);
    }
    await recordMessages(env, history);
    return await recordReadModels(client, history);
  } finally {
    await client.end();
  }
}

/** Through the reader of the stream: what was appended twice is one event to whoever reads it. */
async function eventsOf(env: Environment, partition: number): Promise<RecordedEvent[]> {
  const stream = new KafkaEventStream({
    brokers: (env['KAFKA_BROKERS'] as string).split(','),
    clientId: 'no-loss',
    topic: `${env['KAFKA_TOPIC_PREFIX']}.events`,
  });
  try {
    const events: RecordedEvent[] = [];
    let some = await stream.read(partition, null, EVENTS_AT_ONCE);
    while (some.length > 0) {
      events.push(...some.map(({ conversationId, payload }) => ({ conversation: conversationId, payload })));
      some = await stream.read(partition, some.at(-1) ?? null, EVENTS_AT_ONCE);
    }
    return events;
  } finally {
    await stream.close();
  }
}

/** Every row of the table, also those that no reader would ever ask for. */
async function recordMessages(env: Environment, history: HistoryRecorder): Promise<void> {
  const client = new Client({
    contactPoints: (env['CASSANDRA_CONTACT_POINTS'] as string).split(','),
    localDataCenter: 'datacenter1',
    keyspace: env['CASSANDRA_KEYSPACE'] as string,
    queryOptions: { consistency: types.consistencies.all, fetchSize: ROWS_AT_ONCE },
  });
  try {
    const columns = 'conversation_id, seq, message_id, rev, sender_id, client_msg_id, content';
    for await (const cells of await client.execute(`SELECT ${columns} FROM message`, [], { prepare: true })) {
      const row = cells as MessageCells;
      history.record({
        type: 'row',
        conversation: row.conversation_id.toString(),
        seq: row.seq.toNumber(),
        messageId: row.message_id.toString(),
        rev: row.rev.toNumber(),
        senderId: row.sender_id.toString(),
        clientMsgId: row.client_msg_id,
        hash: contentHash(row.content),
      });
    }
  } finally {
    await client.shutdown();
  }
}
