import type pg from 'pg';
import { REBUILD_SCHEMA } from './rebuild-tables.js';

/** What differed between the tables and the event stream, in rows. */
export interface RowCounts {
  conversations: number;
  members: number;
  /** Members that the stream knows nothing of. */
  strangers: number;
  receipts: number;
  /** Which messages carry which media. */
  mediaUses: number;
}

const MEDIA_KEY = 'conversation_id, message_id, media_id';
const RECEIPT_COLUMNS = 'conversation_id, at, user_ids, delivered_seqs, read_seqs';

/** Compares the rebuilt rows with the live ones, and puts them in their place. */
export class RebuiltRows {
  private constructor(
    private readonly client: pg.Client,
    private readonly live: string,
    private readonly conversationColumns: readonly string[],
    private readonly memberColumns: readonly string[],
  ) {}

  /** @param live the schema of the live tables, as an SQL name */
  static async of(client: pg.Client, live: string): Promise<RebuiltRows> {
    const [conversation, member] = [
      await columnsOf(client, 'conversation'),
      await columnsOf(client, 'conversation_member'),
    ];
    return new RebuiltRows(client, live, conversation, member);
  }

  /**
   * Conversations whose live rows are not what was rebuilt, by id, after `after`. Those that move meanwhile may be among
   * them; `replace` looks again.
   */
  async differing(after: string, limit: number, receiptsSince: Date): Promise<string[]> {
    const { live, conversationColumns, memberColumns } = this;
    const memberRows = (schema: string): string =>
      `SELECT ${memberColumns.filter(isCompared).join()} FROM ${schema}.conversation_member m WHERE m.conversation_id = s.conversation_id`;
    const { rows } = await this.client.query<{ conversation_id: string }>(
      `SELECT s.conversation_id FROM ${REBUILD_SCHEMA}.conversation s
       WHERE s.conversation_id > $1 AND (
         NOT EXISTS (SELECT FROM ${live}.conversation l WHERE l.conversation_id = s.conversation_id
           AND ${rowOf('l', conversationColumns)} IS NOT DISTINCT FROM ${rowOf('s', conversationColumns)})
         OR EXISTS (${memberRows(REBUILD_SCHEMA)} EXCEPT ${memberRows(live)})
         OR EXISTS (${memberRows(live)} EXCEPT ${memberRows(REBUILD_SCHEMA)})
         OR EXISTS (SELECT conversation_id, at FROM ${REBUILD_SCHEMA}.receipt_advance r
                    WHERE r.conversation_id = s.conversation_id AND r.at >= $3
                    EXCEPT SELECT conversation_id, at FROM ${live}.receipt_advance r
                    WHERE r.conversation_id = s.conversation_id)
         OR EXISTS (SELECT FROM ${this.mediaUsesToPutRight()} AND r.conversation_id = s.conversation_id))
       ORDER BY s.conversation_id LIMIT $2`,
      [after, limit, receiptsSince],
    );
    return rows.map((row) => row.conversation_id);
  }

  /** Within the caller's transaction. Rows that are as they should be are not touched: `sync` does not tell them again. */
  async replace(conversationIds: readonly string[], receiptsSince: Date): Promise<RowCounts> {
    const { live } = this;
    const conversations = await this.upsert(
      'conversation',
      this.conversationColumns,
      ['conversation_id'],
      conversationIds,
    );
    const key = ['conversation_id', 'user_id'];
    const members = await this.upsert('conversation_member', this.memberColumns, key, conversationIds);
    const strangers = await this.client.query(
      `DELETE FROM ${live}.conversation_member l WHERE conversation_id = ANY ($1::uuid[])
         AND NOT EXISTS (SELECT FROM ${REBUILD_SCHEMA}.conversation_member r
                         WHERE r.conversation_id = l.conversation_id AND r.user_id = l.user_id)`,
      [conversationIds],
    );
    const receipts = await this.client.query(
      `INSERT INTO ${live}.receipt_advance (${RECEIPT_COLUMNS})
       SELECT ${RECEIPT_COLUMNS} FROM ${REBUILD_SCHEMA}.receipt_advance r
       WHERE conversation_id = ANY ($1::uuid[]) AND at >= $2
         AND NOT EXISTS (SELECT FROM ${live}.receipt_advance l WHERE l.conversation_id = r.conversation_id AND l.at = r.at)`,
      [conversationIds, receiptsSince],
    );
    const mediaUses = await this.client.query(
      `INSERT INTO ${live}.media_use (${MEDIA_KEY}, seq, removed_at)
       SELECT ${MEDIA_KEY}, r.seq, r.removed_at FROM ${this.mediaUsesToPutRight()} AND conversation_id = ANY ($1::uuid[])
       ON CONFLICT (${MEDIA_KEY}) DO UPDATE SET removed_at = excluded.removed_at`,
      [conversationIds],
    );
    const counts = [strangers, receipts, mediaUses].map(({ rowCount }) => rowCount ?? 0) as [number, number, number];
    return { conversations, members, strangers: counts[0], receipts: counts[1], mediaUses: counts[2] };
  }

  /** What is not live as it should be. A use that has ended goes with its medium, and is not missed then. */
  private mediaUsesToPutRight(): string {
    return `${REBUILD_SCHEMA}.media_use r LEFT JOIN ${this.live}.media_use m USING (${MEDIA_KEY})
      WHERE (CASE WHEN m.seq IS NULL THEN r.removed_at IS NULL ELSE m.removed_at IS DISTINCT FROM r.removed_at END)`;
  }

  /** Live conversations of which the stream tells nothing. */
  async unknownToStream(limit: number): Promise<string[]> {
    const { rows } = await this.client.query<{ conversation_id: string }>(
      `SELECT conversation_id FROM ${this.live}.conversation l
       WHERE NOT EXISTS (SELECT FROM ${REBUILD_SCHEMA}.conversation s WHERE s.conversation_id = l.conversation_id)
       ORDER BY conversation_id LIMIT $1`,
      [limit],
    );
    return rows.map((row) => row.conversation_id);
  }

  private async upsert(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    conversationIds: readonly string[],
  ): Promise<number> {
    const values = columns.filter((column) => !key.includes(column));
    const set = values.map((column) => `${column} = excluded.${column}`).join();
    const compared = values.filter(isCompared);
    const { rowCount } = await this.client.query(
      `INSERT INTO ${this.live}.${table} AS l (${columns.join()})
       SELECT ${columns.join()} FROM ${REBUILD_SCHEMA}.${table} WHERE conversation_id = ANY ($1::uuid[])
       ON CONFLICT (${key.join()}) DO UPDATE SET ${set}, changed_xid = pg_current_xact_id()
       WHERE ${rowOf('l', compared)} IS DISTINCT FROM ${rowOf('excluded', compared)}`,
      [conversationIds],
    );
    return rowCount ?? 0;
  }
}

/** Rows from before it was kept have no joining epoch, and are as they should be. */
const isCompared = (column: string): boolean => column !== 'joined_epoch';

const rowOf = (alias: string, columns: readonly string[]): string =>
  `(${columns.map((column) => `${alias}.${column}`).join()})`;

/** All but the number of the transaction that wrote the row. */
async function columnsOf(client: pg.Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ column: string }>(
    `SELECT quote_ident(column_name) AS column FROM information_schema.columns
     WHERE table_schema = '${REBUILD_SCHEMA}' AND table_name = $1 AND column_name <> 'changed_xid'
     ORDER BY ordinal_position`,
    [table],
  );
  return rows.map((row) => row.column);
}
