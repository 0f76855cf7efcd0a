import { randomBytes } from 'node:crypto';
import type pg from 'pg';

/** A position that was taken before a start that is forgotten counts as none. */
const KEPT = "interval '90 days'";

const ADD = `WITH gone AS (DELETE FROM server_start WHERE started_at < clock_timestamp() - ${KEPT})
 INSERT INTO server_start (label) VALUES ($1)`;

/** Part of a statement: the label of the latest start that its snapshot shows; null when there is none. */
export const LATEST_START = '(SELECT s.label FROM server_start s ORDER BY s.start_number DESC LIMIT 1)';

/**
 * Part of a statement: whether a snapshot in which the start of this label was the latest one is of the history that the
 * database still has. A start that the database does not know belongs to a time that was lost by a restore. And so does
 * the snapshot when a later start has a transaction number that had been given away in it: then that number was given
 * away twice.
 */
export const isOwnHistory = (label: string, snapshot: string): string => `EXISTS (
  SELECT FROM server_start s WHERE s.label = ${label} AND NOT EXISTS (
    SELECT FROM server_start later
    WHERE later.start_number > s.start_number AND later.xid < pg_snapshot_xmax(${snapshot}::pg_snapshot)))`;

/** To be called by each process before it changes anything else. */
export async function recordStart(pool: pg.Pool): Promise<void> {
  await pool.query(ADD, [BigInt(`0x${randomBytes(5).toString('hex')}`).toString(36)]);
}
