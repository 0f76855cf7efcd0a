import {
  type AttemptOutcome,
  type HandlerDeadLetter,
  type DeadLetterPlace,
  type DueEvent,
  type HandlerPartition,
  type HandlerStanding,
  HandlerProgress,
  type HandlerTerm,
  type HeldEvent,
  LAST_INDEX,
  LEASE_MS,
  type StreamPosition,
  type WorkerStanding,
} from '@parley/domain';
import type { Pool } from 'pg';
import { storeAnswer } from '../store-answer.js';

const LEASE_END = 'clock_timestamp() + make_interval(secs => $3::double precision / 1000)';
/** Rows of workers that were not heard of for so long are nobody's any more. */
const FORGOTTEN_AFTER = "interval '1 hour'";

// Who comes back after its time has joined anew: others have its partitions by now.
const ATTEND = `INSERT INTO event_handler_worker AS w (handler, owner, joined_at, alive_until)
 VALUES ($1, $2, clock_timestamp(), ${LEASE_END})
 ON CONFLICT (handler, owner) DO UPDATE SET alive_until = excluded.alive_until,
   joined_at = CASE WHEN w.alive_until < clock_timestamp() THEN excluded.joined_at ELSE w.joined_at END`;

const STANDING = `SELECT count(*)::int AS workers,
   (count(*) FILTER (WHERE (w.joined_at, w.owner) < (own.joined_at, own.owner)))::int AS rank
 FROM event_handler_worker w,
   (SELECT joined_at, owner FROM event_handler_worker WHERE handler = $1 AND owner = $2) AS own
 WHERE w.handler = $1 AND w.alive_until >= clock_timestamp()`;

// Index -1 of offset -1 stands before everything, as null does.
const ENSURE = `INSERT INTO event_handler_progress (handler, partition, position_offset, position_index)
 SELECT $1, p.partition, CASE WHEN $3 THEN p.next_offset - 1 ELSE -1 END, CASE WHEN $3 THEN ${LAST_INDEX} ELSE -1 END
 FROM partition_progress p WHERE p.partition = ANY ($2::smallint[]) ON CONFLICT DO NOTHING`;

// As a subquery of the join the planner may scan it once for each row, and the limit would count anew each time.
const CLAIM = `WITH free AS MATERIALIZED (
   SELECT partition FROM event_handler_progress
   WHERE handler = $1 AND partition = ANY ($4::smallint[])
     AND ($5 OR owner IS NULL OR lease_until IS NULL OR lease_until < clock_timestamp())
   ORDER BY partition LIMIT $6 FOR UPDATE)
 UPDATE event_handler_progress p
 SET owner = $2, epoch = p.epoch + 1, lease_until = ${LEASE_END}
 FROM free
 WHERE p.handler = $1 AND p.partition = free.partition
 RETURNING p.partition, p.epoch, p.position_offset, p.position_index`;

const RENEW = `UPDATE event_handler_progress p SET lease_until = ${LEASE_END}
 FROM (SELECT partition FROM event_handler_progress
       WHERE handler = $1 AND owner = $2 AND lease_until >= clock_timestamp() ORDER BY partition FOR UPDATE) AS held
 WHERE p.handler = $1 AND p.partition = held.partition RETURNING p.partition`;

const RELEASE = `UPDATE event_handler_progress p SET owner = NULL, lease_until = NULL
 FROM (SELECT partition FROM event_handler_progress
       WHERE handler = $1 AND owner = $2 AND ($3::smallint[] IS NULL OR partition = ANY ($3))
       ORDER BY partition FOR UPDATE) AS held
 WHERE p.handler = $1 AND p.partition = held.partition`;

const ADVANCE = `WITH moved AS (
   UPDATE event_handler_progress SET position_offset = $4, position_index = $5
   WHERE handler = $1 AND partition = $2 AND epoch = $3 RETURNING 1),
 held AS (
   INSERT INTO event_handler_held (handler, partition, "offset", index, conversation_id, recorded_at, payload,
     attempts, next_attempt_at, dead, last_error)
   SELECT $1, $2, h.* FROM (
     SELECT o, i, c, to_timestamp(at / 1000.0), payload, attempts,
       clock_timestamp() + make_interval(secs => pause / 1000.0), dead, error
     FROM unnest($6::bigint[], $7::int[], $8::uuid[], $9::bigint[], $10::text[], $11::int[], $12::bigint[],
       $13::boolean[], $14::text[]) AS t (o, i, c, at, payload, attempts, pause, dead, error)) AS h
   WHERE EXISTS (SELECT FROM moved) ON CONFLICT DO NOTHING)
 SELECT 1 FROM moved`;

const HELD_COLUMNS = `partition, "offset", index, conversation_id, recorded_at, payload, attempts`;

// By keys alone, so that what waits is not sorted together with its payloads.
const DUE = `WITH waiting AS (
   SELECT "offset" AS o, index AS i, row_number() OVER run AS place, first_value(next_attempt_at) OVER run AS due_at
   FROM event_handler_held WHERE handler = $1 AND partition = $2 AND NOT dead
   WINDOW run AS (PARTITION BY conversation_id, late ORDER BY "offset", index)),
 due AS (SELECT o, i, place, due_at FROM waiting WHERE due_at <= clock_timestamp() ORDER BY place, due_at, o, i LIMIT $3)
 SELECT ${HELD_COLUMNS}, late FROM due
 JOIN event_handler_held ON handler = $1 AND partition = $2 AND "offset" = o AND index = i
 ORDER BY place, due_at, "offset", index`;

const MINE = `SELECT 1 FROM event_handler_progress WHERE handler = $1 AND partition = $2 AND epoch = $3 FOR SHARE`;

const HANDLED = `WITH mine AS (${MINE}), gone AS (
   DELETE FROM event_handler_held WHERE handler = $1 AND partition = $2 AND "offset" = $4 AND index = $5
     AND EXISTS (SELECT FROM mine))
 SELECT 1 FROM mine`;

const FAILED = `WITH mine AS (${MINE}), kept AS (
   UPDATE event_handler_held SET attempts = attempts + 1, last_error = $6, dead = $7::bigint IS NULL,
     next_attempt_at = clock_timestamp() + make_interval(secs => COALESCE($7::bigint, 0) / 1000.0)
   WHERE handler = $1 AND partition = $2 AND "offset" = $4 AND index = $5 AND EXISTS (SELECT FROM mine))
 SELECT 1 FROM mine`;

const DEAD_LETTERS = `SELECT handler, ${HELD_COLUMNS}, last_error FROM event_handler_held
 WHERE dead AND ($1::text IS NULL OR handler = $1)
   AND ($2::text IS NULL OR (handler, partition, "offset", index) > ($2, $3::smallint, $4::bigint, $5::int))
 ORDER BY handler, partition, "offset", index LIMIT $6`;

const RETRY_DEAD =
  'UPDATE event_handler_held SET dead = false, late = true, attempts = 0, next_attempt_at = clock_timestamp()';

// A position is that of an event, and the latest records may have had none: where the stream is a table, it is asked.
const IS_AT_END = `EXISTS (SELECT FROM event_stream e WHERE e.partition = p.partition)
   AND NOT EXISTS (SELECT FROM event_stream e WHERE e.partition = p.partition
     AND (e."offset", e.index) > (p.position_offset, p.position_index))`;

const STANDINGS = `SELECT p.handler,
   count(DISTINCT p.owner) FILTER (WHERE p.lease_until >= clock_timestamp()) AS workers,
   sum(CASE WHEN ${IS_AT_END} THEN 0 ELSE greatest(0, d.next_offset - 1 - p.position_offset) END) AS "behindRecords",
   (SELECT count(*) FROM event_handler_held h WHERE h.handler = p.handler AND NOT h.dead) AS "waitingEvents",
   (SELECT count(*) FROM event_handler_held h WHERE h.handler = p.handler AND h.dead) AS "deadEvents"
 FROM event_handler_progress p JOIN partition_progress d USING (partition) GROUP BY p.handler ORDER BY p.handler`;

const AT_PLACE = 'handler = $1 AND partition = $2 AND "offset" = $3 AND index = $4 AND dead';

interface HeldRow {
  handler: string;
  partition: number;
  offset: string;
  index: number;
  conversation_id: string;
  recorded_at: Date;
  payload: string;
  attempts: number;
  late: boolean;
  last_error: string | null;
}

/** Progress of the handlers as rows of their own, timed by the database's clock alone. */
export class PostgresHandlerProgress extends HandlerProgress {
  /** @param leaseMs how long a lease lasts that is not renewed */
  constructor(
    private readonly pool: Pool,
    private readonly leaseMs = LEASE_MS,
  ) {
    super();
  }

  override attend(handler: string, owner: string): Promise<WorkerStanding> {
    return storeAnswer(async () => {
      await this.pool.query(ATTEND, [handler, owner, this.leaseMs]);
      const { rows } = await this.pool.query<WorkerStanding>(STANDING, [handler, owner]);
      return rows[0] ?? { workers: 1, rank: 0 };
    });
  }

  override claim(
    handler: string,
    owner: string,
    options: { partitions: readonly number[]; begin: 'now' | 'beginning'; exclusive: boolean; partitionsMax: number },
  ): Promise<HandlerPartition[]> {
    const { partitions, begin, exclusive, partitionsMax } = options;
    return storeAnswer(async () => {
      await this.pool.query(ENSURE, [handler, partitions, begin === 'now']);
      const { rows } = await this.pool.query<{
        partition: number;
        epoch: string;
        position_offset: string;
        position_index: number;
      }>(CLAIM, [handler, owner, this.leaseMs, partitions, exclusive, partitionsMax]);
      return rows.map(({ partition, epoch, position_offset, position_index }) => {
        const offset = Number(position_offset);
        const position = offset < 0 ? null : { offset, index: position_index };
        return { partition, epoch: Number(epoch), position };
      });
    });
  }

  override async renew(handler: string, owner: string): Promise<number[]> {
    const { rows } = await storeAnswer(() =>
      this.pool.query<{ partition: number }>(RENEW, [handler, owner, this.leaseMs]),
    );
    return rows.map(({ partition }) => partition);
  }

  override async release(handler: string, owner: string, partitions: readonly number[]): Promise<void> {
    await storeAnswer(() => this.pool.query(RELEASE, [handler, owner, partitions]));
  }

  override async leave(handler: string, owner: string): Promise<void> {
    await storeAnswer(async () => {
      await this.pool.query(RELEASE, [handler, owner, null]);
      await this.pool.query(
        `DELETE FROM event_handler_worker
         WHERE handler = $1 AND (owner = $2 OR alive_until < clock_timestamp() - ${FORGOTTEN_AFTER})`,
        [handler, owner],
      );
    });
  }

  override async settled(): Promise<Map<number, number>> {
    const { rows } = await storeAnswer(() =>
      this.pool.query<{ partition: number; next_offset: string }>({
        name: 'event_handler_settled',
        text: 'SELECT partition, next_offset FROM partition_progress',
      }),
    );
    return new Map(rows.map(({ partition, next_offset }) => [partition, Number(next_offset)]));
  }

  override async advance(term: HandlerTerm, position: StreamPosition, held: readonly HeldEvent[]): Promise<boolean> {
    const values = [
      term.handler,
      term.partition,
      term.epoch,
      position.offset,
      position.index,
      held.map((event) => event.offset),
      held.map((event) => event.index),
      held.map((event) => event.conversationId),
      held.map((event) => event.at),
      held.map((event) => event.payload),
      held.map((event) => event.attempts),
      held.map((event) => event.pauseMs),
      held.map((event) => event.dead),
      held.map((event) => event.lastError),
    ];
    const { rowCount } = await storeAnswer(() =>
      this.pool.query({ name: 'event_handler_advance', text: ADVANCE, values }),
    );
    return rowCount === 1;
  }

  override async waiting({ handler, partition }: HandlerTerm): Promise<Map<string, number>> {
    const { rows } = await storeAnswer(() =>
      this.pool.query<{ conversation_id: string; waiting: number }>(
        `SELECT conversation_id, count(*)::int AS waiting FROM event_handler_held
         WHERE handler = $1 AND partition = $2 AND NOT dead AND NOT late GROUP BY conversation_id`,
        [handler, partition],
      ),
    );
    return new Map(rows.map(({ conversation_id, waiting }) => [conversation_id, waiting]));
  }

  override async due({ handler, partition }: HandlerTerm, limit: number): Promise<DueEvent[]> {
    const { rows } = await storeAnswer(() => this.pool.query<HeldRow>(DUE, [handler, partition, limit]));
    return rows.map((row) => ({ ...eventOf(row), attempts: row.attempts, late: row.late }));
  }

  override async settle(term: HandlerTerm, place: StreamPosition, outcome: AttemptOutcome): Promise<boolean> {
    const values = [term.handler, term.partition, term.epoch, place.offset, place.index];
    const { rowCount } = await storeAnswer(() =>
      outcome.handled
        ? this.pool.query(HANDLED, values)
        : this.pool.query(FAILED, [...values, outcome.error, outcome.pauseMs]),
    );
    return rowCount === 1;
  }

  override async deadLetters(
    handler: string | null,
    after: DeadLetterPlace | null,
    limit: number,
  ): Promise<HandlerDeadLetter[]> {
    const values = [handler, after?.handler, after?.partition, after?.offset, after?.index, limit];
    const { rows } = await storeAnswer(() => this.pool.query<HeldRow>(DEAD_LETTERS, values));
    return rows.map((row) => ({
      ...eventOf(row),
      handler: row.handler,
      attempts: row.attempts,
      lastError: row.last_error,
    }));
  }

  override async standings(): Promise<HandlerStanding[]> {
    const { rows } = await storeAnswer(() => this.pool.query<Record<keyof HandlerStanding, string>>(STANDINGS));
    return rows.map(({ handler, workers, behindRecords, waitingEvents, deadEvents }) => ({
      handler,
      workers: Number(workers),
      behindRecords: Number(behindRecords),
      waitingEvents: Number(waitingEvents),
      deadEvents: Number(deadEvents),
    }));
  }

  override async retryDeadLetters(handler: string): Promise<number> {
    const { rowCount } = await storeAnswer(() =>
      this.pool.query(`${RETRY_DEAD} WHERE handler = $1 AND dead`, [handler]),
    );
    return rowCount ?? 0;
  }

  override async discardDeadLetters(handler: string): Promise<number> {
    const { rowCount } = await storeAnswer(() =>
      this.pool.query('DELETE FROM event_handler_held WHERE handler = $1 AND dead', [handler]),
    );
    return rowCount ?? 0;
  }

  override retryDeadLetter(place: DeadLetterPlace): Promise<boolean> {
    return this.changeDeadLetter(`${RETRY_DEAD} WHERE ${AT_PLACE}`, place);
  }

  override discardDeadLetter(place: DeadLetterPlace): Promise<boolean> {
    return this.changeDeadLetter(`DELETE FROM event_handler_held WHERE ${AT_PLACE}`, place);
  }

  private async changeDeadLetter(sql: string, place: DeadLetterPlace): Promise<boolean> {
    const values = [place.handler, place.partition, place.offset, place.index];
    const { rowCount } = await storeAnswer(() => this.pool.query(sql, values));
    return rowCount === 1;
  }
}

function eventOf({ partition, offset, index, conversation_id, recorded_at, payload }: HeldRow) {
  const place = { partition, offset: Number(offset), index };
  return { ...place, conversationId: conversation_id, at: recorded_at.getTime(), payload };
}
