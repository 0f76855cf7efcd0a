import type pg from 'pg';
import { contentHash, type HistoryRecorder } from './history.js';

/** An event as it lies in the stream. */
export interface RecordedEvent {
  readonly conversation: string;
  readonly payload: string;
}

interface EventPayload {
  type: string;
  rev?: number;
  seq?: number;
  content?: string;
  message?: { seq: number; rev: number; content: string };
  members?: { userId: string }[];
  added?: string[];
  removed?: string[];
}

/** @param events of each partition in their order */
export function recordEvents(events: Iterable<RecordedEvent>, history: HistoryRecorder): void {
  for (const { conversation, payload } of events) {
    const { type, rev, seq, content, message, ...event } = JSON.parse(payload) as EventPayload;
    if (message) {
      const { seq: sentSeq, rev: sentRev, content: sent } = message;
      history.record({ type: 'event', conversation, rev: sentRev, seq: sentSeq, hash: contentHash(sent) });
    } else if (type === 'message-edited' && rev !== undefined && seq !== undefined) {
      history.record({ type: 'event', conversation, rev, seq, hash: contentHash(content ?? '') });
    } else if (rev !== undefined) {
      const added = event.members?.map(({ userId }) => userId) ?? event.added ?? [];
      history.record({ type: 'event', conversation, rev, added, removed: event.removed ?? [] });
    }
  }
}

/** What Postgres holds in every profile. */
export async function recordReadModels(client: pg.Client, history: HistoryRecorder): Promise<{ deadLetters: number }> {
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
  const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM dead_letter');
  return { deadLetters: Number(rows[0]?.count) };
}
