import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openReaderHarness, type PostgresReaderHarness } from './reader-harness.testing.js';

interface Seen {
  name: string;
  text: string;
  values: unknown[];
}

const CONVERSATIONS = 2_000;
const MEMBERS_EACH = 20;

/**
 * On tables that were never analyzed, as they are after a first busy hour: what a query touches must grow with its own
 * answer, not with the tables.
 */
describe('the plans of the queries on a database without statistics', () => {
  let harness: PostgresReaderHarness;
  let user: string;
  let conversationId: string;
  const seen: Seen[] = [];

  beforeAll(async () => {
    harness = await openReaderHarness();
    const { pool } = harness.database;
    await pool.query('ALTER TABLE conversation_member SET (autovacuum_enabled = off)');
    await pool.query('ALTER TABLE conversation SET (autovacuum_enabled = off)');
    user = randomUUID();
    conversationId = randomUUID();
    // A world of other people's conversations, each with members of its own, and one conversation of the user's.
    await pool.query(
      `INSERT INTO conversation SELECT n.id, 'group', 'g', now(), n.id, 1, 2, 1, $1, now(), 1, n.id, '', 'text', now(), false
       FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $2::int)) n UNION ALL
       SELECT $3::uuid, 'group', 'g', now(), $4::uuid, 1, 2, 1, 1, now(), 1, $4::uuid, '', 'text', now(), false`,
      [MEMBERS_EACH, CONVERSATIONS, conversationId, user],
    );
    await pool.query(
      `INSERT INTO conversation_member
       SELECT c.conversation_id, CASE WHEN c.conversation_id = $2::uuid THEN $3::uuid ELSE gen_random_uuid() END,
         'member', now(), 1, 1, 1, 1, 1, NULL, false, false, NULL
       FROM conversation c, generate_series(1, $1::int) g WHERE g = 1 OR c.conversation_id <> $2::uuid`,
      [MEMBERS_EACH, conversationId, user],
    );
    const query = pool.query.bind(pool) as (config: Seen) => Promise<unknown>;
    Object.assign(pool, { query: (config: Seen) => (seen.push(config), query(config)) });
  });
  afterAll(() => harness?.close());

  /** Shared pages that a statement touches once its plan is kept for any values, as it is after its fifth run. */
  async function pagesTouched({ text, values }: Seen): Promise<number> {
    const client = await harness.database.pool.connect();
    try {
      await client.query('SET plan_cache_mode = force_generic_plan');
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>({
        text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
        values,
      });
      const plan = rows[0]?.['QUERY PLAN'][0].Plan ?? {};
      return (plan['Shared Hit Blocks'] ?? Infinity) + (plan['Shared Read Blocks'] ?? Infinity);
    } finally {
      await client.query('RESET plan_cache_mode');
      client.release();
    }
  }

  it('touch a few dozen pages for a user with one conversation', async () => {
    const { reader } = harness;
    const { position } = await reader.headsSince([], null);
    seen.length = 0;
    await reader.membership(conversationId);
    await reader.memberView(conversationId, user);
    await reader.conversation(conversationId, user);
    await reader.conversationFor(conversationId, [user]);
    await reader.list(user, { archived: null, after: null, limit: 51 });
    await reader.list(user, {
      archived: false,
      after: { lastActivityAt: new Date().toISOString(), conversationId },
      limit: 51,
    });
    await reader.members(conversationId, user, { after: null, limit: 51 });
    await reader.membersById(conversationId, [user]);
    await reader.changedSince(user, { since: position, named: [conversationId], after: null, limit: 200 });
    await reader.changedSince(user, { since: null, named: [], after: null, limit: 200 });
    await reader.headsSince([user], position);
    await reader.headsSince([user], null);
    await reader.receipts(conversationId, { seq: 1, senderId: randomUUID(), at: 0 });
    const statements = seen.splice(0);
    expect(new Set(statements.map(({ name }) => name)).size).toBeGreaterThanOrEqual(11);
    const touched: Record<string, number> = {};
    for (const statement of statements) {
      touched[statement.name] = Math.max(touched[statement.name] ?? 0, await pagesTouched(statement));
    }
    const tables = await harness.database.pool.query<{ pages: number }>(
      `SELECT sum(pg_relation_size(c.oid) / 8192)::int AS pages FROM pg_class c WHERE c.relname = 'conversation_member'`,
    );
    expect(tables.rows[0]?.pages).toBeGreaterThan(500);
    const greedy = Object.entries(touched).filter(([, pages]) => pages > 60);
    expect(greedy).toEqual([]);
  });
});
