import type { Pool } from 'pg';

/** The database holds commands that were promised and that a log in memory would not know of. */
export class UndecidedCommandsError extends Error {
  constructor() {
    super(
      'The database holds commands of COMMAND_LOG=postgres that were not decided yet: start once more with that, wait until it has decided them, and then change to COMMAND_LOG=memory.',
    );
  }
}

/** @throws UndecidedCommandsError when the log's table goes on behind what was decided */
export async function refuseUndecidedCommands(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM partition_progress p CROSS JOIN LATERAL (
       SELECT FROM command_log WHERE partition = p.partition AND "offset" >= p.next_offset LIMIT 1) AS l) AS found`,
  );
  if (rows[0]?.found) throw new UndecidedCommandsError();
}
