import { CONVERSATION_MEMBERS_SHOWN_MAX, type Conversation } from '@parley/contracts';
import type { ChangedPage, ChangePosition, ChangesQuery, Head } from '@parley/domain';
import type pg from 'pg';
import { isOwnHistory, LATEST_START } from '../server-starts.js';
import { databaseName, positionOf, type Snapshot, snapshotOf } from './change-position.js';
import { SHOWN_MEMBERS, type ShownMembersRow, conversationOf, VIEW, type ViewRow } from './conversation-view.js';

const later = (column: string, snapshot: string): string =>
  `NOT pg_visible_in_snapshot(${column}, ${snapshot}::pg_snapshot)`;

/** Whether the conversation of `m`, a row of the user's own, changed since $3: in what this user is shown of it. */
const CHANGED = `(
  $3::text IS NULL OR ${later('m.changed_xid', '$3')} OR EXISTS (
    SELECT 1 FROM (SELECT c.changed_xid, c.member_count FROM conversation c
                   WHERE c.conversation_id = m.conversation_id OFFSET 0) c
    WHERE ${later('c.changed_xid', '$3')} OR (
      c.member_count <= ${CONVERSATION_MEMBERS_SHOWN_MAX} AND EXISTS (
        SELECT 1 FROM conversation_member o
        WHERE o.conversation_id = m.conversation_id AND o.removed_at IS NULL AND ${later('o.changed_xid', '$3')}))))`;

/**
 * One statement, so one snapshot: the user's own rows, which of them changed, their views, the tombstones, and the
 * position, which stands in a row of its own (`named` is null) with the tombstones.
 */
const CHANGED_SINCE = `
  WITH mine AS MATERIALIZED (
    SELECT m.conversation_id, m.user_id, m.removed_at, m.changed_xid FROM conversation_member m WHERE m.user_id = $1),
  picked AS MATERIALIZED (
    (SELECT m.conversation_id, m.user_id, true AS named, ${CHANGED} AS changed
     FROM mine m WHERE m.removed_at IS NULL AND m.conversation_id = ANY ($2::uuid[]))
    UNION ALL
    (SELECT m.conversation_id, m.user_id, false, true
     FROM mine m
     WHERE m.removed_at IS NULL AND m.conversation_id <> ALL ($2::uuid[])
       AND ($4::uuid IS NULL OR m.conversation_id > $4::uuid) AND ${CHANGED}
     ORDER BY m.conversation_id LIMIT $5)
    UNION ALL
    SELECT NULL, NULL, NULL, NULL)
  SELECT p.named, p.changed, v.*, s.*,
    CASE WHEN p.named IS NULL THEN pg_current_snapshot()::text END AS snapshot,
    CASE WHEN p.named IS NULL THEN ${LATEST_START} END AS start,
    CASE WHEN p.named IS NULL AND $3::text IS NOT NULL THEN ${isOwnHistory('$6', '$3')} END AS own,
    CASE WHEN p.named IS NULL AND $3::text IS NOT NULL THEN
      ARRAY(SELECT m.conversation_id::text FROM mine m WHERE m.removed_at IS NOT NULL
              AND ${later('m.changed_xid', '$3')} ORDER BY m.conversation_id) END AS removed
  FROM picked p
  LEFT JOIN LATERAL (${VIEW}) v ON true
  LEFT JOIN LATERAL (${SHOWN_MEMBERS}) s ON p.named IS NOT NULL`;

/** Of the row that carries the position. */
interface PositionColumns {
  snapshot: string | null;
  start: string | null;
  /** Whether what was asked since is of this database's history; null when nothing was. */
  own: boolean | null;
}

type ChangedRow = ViewRow &
  ShownMembersRow &
  PositionColumns & { named: boolean | null; changed: boolean; removed: string[] | null };

const HEADS_SINCE = `
  SELECT NULL AS user_id, NULL AS conversation_id, NULL AS last_seq, NULL AS last_rev, NULL AS removed,
    pg_current_snapshot()::text AS snapshot, ${LATEST_START} AS start,
    CASE WHEN $2::text IS NOT NULL THEN ${isOwnHistory('$3', '$2')} END AS own
  UNION ALL
  SELECT m.user_id::text, m.conversation_id::text, c.last_seq::float8, c.last_rev::float8, m.removed_at IS NOT NULL,
    NULL, NULL, NULL
  FROM unnest($1::uuid[]) AS asked (user_id)
  JOIN LATERAL (SELECT o.user_id, o.conversation_id, o.removed_at, o.changed_xid
                FROM conversation_member o WHERE o.user_id = asked.user_id OFFSET 0) m ON true
  JOIN LATERAL (SELECT d.last_seq, d.last_rev, d.changed_xid
                FROM conversation d WHERE d.conversation_id = m.conversation_id OFFSET 0) c ON true
  WHERE CASE WHEN m.removed_at IS NULL THEN $2::text IS NULL OR ${later('c.changed_xid', '$2')}
             ELSE $2::text IS NOT NULL AND ${later('m.changed_xid', '$2')} END`;

interface HeadRow extends PositionColumns {
  user_id: string;
  conversation_id: string;
  last_seq: number;
  last_rev: number;
  removed: boolean;
}

/** What changed since a position, from the transaction numbers on the rows. */
export class ChangedConversations {
  private database: Promise<string> | null = null;

  constructor(private readonly pool: pg.Pool) {}

  async since(userId: string, query: ChangesQuery): Promise<ChangedPage> {
    const { page, valid } = await this.readSince(userId, query, await this.snapshot(query.since));
    return valid ? page : (await this.readSince(userId, query, null)).page;
  }

  async heads(
    userIds: readonly string[],
    since: ChangePosition | null,
  ): Promise<{ position: ChangePosition; heads: Head[] }> {
    const answer = await this.readHeads(userIds, await this.snapshot(since));
    return answer ?? ((await this.readHeads(userIds, null)) as { position: ChangePosition; heads: Head[] });
  }

  private async readSince(
    userId: string,
    { named, after, limit }: ChangesQuery,
    since: Snapshot | null,
  ): Promise<{ page: ChangedPage; valid: boolean }> {
    const { rows } = await this.pool.query<ChangedRow>({
      name: 'changed-since',
      text: CHANGED_SINCE,
      values: [userId, named, since?.text ?? null, after, limit + 1, since?.start ?? null],
    });
    const page: ChangedPage = { position: '', named: [], changed: [], more: false, removed: [] };
    let valid = true;
    for (const row of rows) {
      if (row.named === null) {
        valid = isOfItsPast(since, row);
        page.position = await this.positionOf(row);
        page.removed = row.removed ?? [];
      } else {
        const conversation = conversationOf(row);
        if (row.named) page.named.push({ conversation, changed: row.changed });
        else page.changed.push(conversation);
      }
    }
    page.named.sort((a, b) => byId(a.conversation, b.conversation));
    page.changed.sort(byId);
    page.more = page.changed.length > limit;
    page.changed.length = Math.min(page.changed.length, limit);
    return { page, valid };
  }

  private async readHeads(
    userIds: readonly string[],
    since: Snapshot | null,
  ): Promise<{ position: ChangePosition; heads: Head[] } | null> {
    const { rows } = await this.pool.query<HeadRow>({
      name: 'heads-since',
      text: HEADS_SINCE,
      values: [userIds, since?.text ?? null, since?.start ?? null],
    });
    let position = '';
    const heads: Head[] = [];
    for (const row of rows) {
      if (row.snapshot !== null) {
        if (!isOfItsPast(since, row)) return null;
        position = await this.positionOf(row);
        continue;
      }
      const { user_id: userId, conversation_id: conversationId, removed } = row;
      heads.push({
        userId,
        conversationId,
        removed,
        lastSeq: removed ? 0 : row.last_seq,
        lastRev: removed ? 0 : row.last_rev,
      });
    }
    return { position, heads };
  }

  /** Null for a position of another database, and for what is none. */
  private async snapshot(position: ChangePosition | null): Promise<Snapshot | null> {
    const snapshot = position === null ? null : snapshotOf(position);
    return snapshot && snapshot.database === (await this.databaseName()) ? snapshot : null;
  }

  private async positionOf({ snapshot, start }: PositionColumns): Promise<ChangePosition> {
    // Without a start it is read as none, and the next caller is told everything.
    return positionOf({ database: await this.databaseName(), start: start ?? '' }, snapshot ?? '');
  }

  private databaseName(): Promise<string> {
    this.database ??= this.readDatabaseName().catch((error: unknown) => {
      this.database = null;
      throw error;
    });
    return this.database;
  }

  private async readDatabaseName(): Promise<string> {
    const { rows } = await this.pool.query<{ system: string; oid: string }>(
      `SELECT s.system_identifier::text AS system, d.oid::text AS oid
       FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()`,
    );
    const row = rows[0];
    if (!row) throw new Error('the database does not know itself');
    return databaseName(row.system, row.oid);
  }
}

/** False when the server was put back to an earlier state since, whatever numbers it has given to transactions again. */
function isOfItsPast(since: Snapshot | null, { snapshot, own }: PositionColumns): boolean {
  return since === null || (own === true && since.end <= BigInt(snapshot?.split(':')[1] ?? '0'));
}

const byId = (a: Conversation, b: Conversation): number => (a.conversationId < b.conversationId ? -1 : 1);
