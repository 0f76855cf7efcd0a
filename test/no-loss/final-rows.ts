import { startEmbeddedPostgres } from '@parley/infra';
import pg from 'pg';
import { contentHash, type HistoryRecorder } from './history.js';

interface StreamRow {
  conversation_id: string;
  payload: string;
}

interface StreamedEvent {
  type: string;
  rev?: number;
  seq?: number;
  content?: string;
  message?: { seq: number; rev: number; content: string };
}

/** Reads what the stores of a stopped server hold, past the server, and adds it to the history. */
export async function recordStores(dataDir: string, history: HistoryRecorder): Promise<{ deadLetters: number }> {
  const server = await startEmbeddedPostgres({ dataDir, log: () => undefined });
  const client = new pg.Client({ connectionString: server.url });
  try {
    await client.connect();
    await recordMessages(client, history);
    await recordHeads(client, history);
    const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM dead_letter');
    return { deadLetters: Number(rows[0]?.count) };
  } finally {
    await client.end();
    await server.stop();
  }
}

async function recordMessages(client: pg.Client, history: HistoryRecorder): Promise<void> {
  const stream = await client.query<StreamRow>(
    'SELECT conversation_id, payload FROM event_stream ORDER BY partition, "offset", index',
  );
  for (const { conversation_id: conversation, payload } of stream.rows) {
    const { type, rev, seq, content, message } = JSON.parse(payload) as StreamedEvent;
    if (message) {
      const { seq: sentSeq, rev: sentRev, content: sent } = message;
      history.record({ type: 'event', conversation, rev: sentRev, seq: sentSeq, hash: contentHash(sent) });
    } else if (type === 'message-edited' && rev !== undefined && seq !== undefined) {
      history.record({ type: 'event', conversation, rev, seq, hash: contentHash(content ?? '') });
    } else if (rev !== undefined) history.record({ type: 'event', conversation, rev });
  }
  const messages = await client.query<Record<string, string>>(
    `SELECT conversation_id, seq, message_id, rev, sender_id, content, client_msg_id FROM message
     ORDER BY conversation_id, seq`,
  );
  for (const row of messages.rows) {
    history.record({
      type: 'row',
      conversation: row['conversation_id'] as string,
      seq: Number(row['seq']),
      messageId: row['message_id'] as string,
      rev: Number(row['rev']),
      senderId: row['sender_id'] as string,
      clientMsgId: row['client_msg_id'] as string,
      hash: contentHash(row['content'] as string),
    });
  }
}

async function recordHeads(client: pg.Client, history: HistoryRecorder): Promise<void> {
  const heads = await client.query<Record<string, string>>(
    'SELECT conversation_id, last_seq, last_rev FROM conversation',
  );
  for (const row of heads.rows) {
    const conversation = row['conversation_id'] as string;
    history.record({ type: 'head', conversation, lastSeq: Number(row['last_seq']), lastRev: Number(row['last_rev']) });
  }
  const marks = await client.query<Record<string, string>>(
    'SELECT conversation_id, user_id, read_seq FROM conversation_member',
  );
  for (const row of marks.rows) {
    const place = { conversation: row['conversation_id'] as string, user: row['user_id'] as string };
    history.record({ type: 'final-mark', ...place, readSeq: Number(row['read_seq']) });
  }
}
