import { EventStream, type StreamedEvent, type StreamPosition } from '@parley/domain';
import type { Pool } from 'pg';
import { partOf, statementOf } from '../sql/fragment.js';
import { STREAMED } from './event-stream-fragment.js';

type Row = [offset: string, index: number, conversationId: string, recordedAt: Date, payload: string];

/** The event stream as a table, for ever. */
export class PostgresEventStream extends EventStream {
  constructor(private readonly pool: Pool) {
    super();
  }

  override async append(events: readonly StreamedEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.pool.query(statementOf([partOf(STREAMED, events)], 'SELECT 1'));
  }

  override async read(partition: number, after: StreamPosition | null, limit: number): Promise<StreamedEvent[]> {
    const { rows } = await this.pool.query<Row>({
      name: 'event_stream_read',
      text: `SELECT "offset", index, conversation_id, recorded_at, payload FROM event_stream
             WHERE partition = $1 AND ("offset", index) > ($2::bigint, $3::bigint)
             ORDER BY "offset", index LIMIT $4`,
      values: [partition, after?.offset ?? -1, after?.index ?? -1, limit],
      rowMode: 'array',
    });
    return rows.map(([offset, index, conversationId, recordedAt, payload]) => ({
      partition,
      offset: Number(offset),
      index,
      conversationId,
      at: recordedAt.getTime(),
      payload,
    }));
  }
}
