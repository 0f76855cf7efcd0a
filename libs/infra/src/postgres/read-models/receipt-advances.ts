import type { MemberReceipt } from '@parley/domain';
import type pg from 'pg';

/** Advances read in one statement: about 10 ms for a group of hundreds whose every row names many members. */
const CHUNK_ROWS = 1_000;
/** Searching ends here, well within a caller's patience; the time of a mark that was set even later is then not known. */
const SEARCH_MS_MAX = 1_500;

const COVERING_MEMBERS = `
  SELECT m.user_id::text AS user_id, m.delivered_seq >= $2 AS delivered, m.read_seq >= $2 AS read
  FROM conversation_member m
  WHERE m.conversation_id = $1 AND m.removed_at IS NULL AND m.visible_from_seq <= $2 AND m.user_id <> $3
  ORDER BY m.user_id`;

/** The rows after ($2, $3): the first time at which each wanted member's mark reached $4, and the last row's place. */
const ADVANCES = `
  WITH chunk AS MATERIALIZED (
    SELECT a.at, a.advance_id, a.user_ids, a.delivered_seqs, a.read_seqs FROM receipt_advance a
    WHERE a.conversation_id = $1 AND (a.at, a.advance_id) > ($2, $3)
    ORDER BY a.at, a.advance_id LIMIT ${CHUNK_ROWS})
  SELECT NULL AS user_id, NULL AS delivered_at, NULL AS read_at, at AS last_at, advance_id::text AS last_id,
    (SELECT count(*) FROM chunk) >= ${CHUNK_ROWS} AS more
  FROM (SELECT at, advance_id FROM chunk ORDER BY at DESC, advance_id DESC LIMIT 1) last
  UNION ALL
  SELECT u.user_id::text, min(chunk.at) FILTER (WHERE u.delivered_seq >= $4),
    min(chunk.at) FILTER (WHERE u.read_seq >= $4), NULL, NULL, NULL
  FROM chunk, unnest(chunk.user_ids, chunk.delivered_seqs, chunk.read_seqs) AS u (user_id, delivered_seq, read_seq)
  WHERE (u.delivered_seq >= $4 OR u.read_seq >= $4) AND u.user_id = ANY ($5::uuid[])
  GROUP BY u.user_id`;

interface AdvanceRow {
  user_id: string | null;
  delivered_at: Date | null;
  read_at: Date | null;
  last_at: Date;
  last_id: string;
  more: boolean;
}

/** When the marks of a conversation's members first covered a message, from the kept advances. */
export async function readReceipts(
  pool: pg.Pool,
  conversationId: string,
  message: { seq: number; senderId: string; at: number },
): Promise<MemberReceipt[]> {
  const { rows } = await pool.query<{ user_id: string; delivered: boolean; read: boolean }>({
    name: 'receipt-members',
    text: COVERING_MEMBERS,
    values: [conversationId, message.seq, message.senderId],
  });
  const receipts = rows.map(({ user_id: userId, delivered, read }): MemberReceipt => ({
    userId,
    delivered,
    deliveredAt: null,
    read,
    readAt: null,
  }));
  const open = new Map(receipts.filter(isOpen).map((receipt) => [receipt.userId, receipt]));
  let place: [at: Date, id: string] = [new Date(message.at), '0'];
  const end = performance.now() + SEARCH_MS_MAX;
  while (open.size > 0 && performance.now() < end) {
    const next = await searchChunk(pool, conversationId, message.seq, place, open);
    if (!next) break;
    place = next;
  }
  return receipts;
}

/** Fills in what a chunk tells; answers where the next one begins, or null after the last. */
async function searchChunk(
  pool: pg.Pool,
  conversationId: string,
  seq: number,
  [at, id]: [at: Date, id: string],
  open: Map<string, MemberReceipt>,
): Promise<[at: Date, id: string] | null> {
  const { rows } = await pool.query<AdvanceRow>({
    name: 'receipt-advances',
    text: ADVANCES,
    values: [conversationId, at, id, seq, [...open.keys()]],
  });
  let next: [at: Date, id: string] | null = null;
  for (const row of rows) {
    if (row.user_id === null) {
      if (row.more) next = [row.last_at, row.last_id];
      continue;
    }
    const receipt = open.get(row.user_id) as MemberReceipt;
    receipt.deliveredAt ??= receipt.delivered ? (row.delivered_at?.getTime() ?? null) : null;
    receipt.readAt ??= receipt.read ? (row.read_at?.getTime() ?? null) : null;
    if (!isOpen(receipt)) open.delete(receipt.userId);
  }
  return next;
}

function isOpen({ delivered, deliveredAt, read, readAt }: MemberReceipt): boolean {
  return (delivered && deliveredAt === null) || (read && readAt === null);
}
