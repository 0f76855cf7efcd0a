import {
  Checkpoint,
  type CheckpointResult,
  type CheckpointWrite,
  DataRefused,
  type MaybeConversation,
  type PartitionProgress,
} from '@parley/domain';
import pg from 'pg';
import { statementOf } from '../sql/fragment.js';
import { checkpointParts } from './checkpoint-fragments.js';
import { type ConversationRow, type MemberStateRow, stateOf } from './state-rows.js';

interface LoadedRow {
  progress: { partition: number; epoch: string; next_offset: string }[] | null;
  conversations: ConversationRow[] | null;
  members: MemberStateRow[] | null;
}

// One statement is one snapshot: states and progress belong together. Numbers that may pass 2^53 go as text.
const LOAD = `
SELECT
  (SELECT json_agg(json_build_object('partition', p.partition, 'epoch', p.epoch::text, 'next_offset', p.next_offset::text))
   FROM partition_progress p WHERE p.partition = ANY ($1::smallint[])) AS progress,
  (SELECT json_agg(json_build_object(
     'conversation_id', c.conversation_id, 'type', c.type, 'name', c.name,
     'created_ms', (extract(epoch FROM c.created_at) * 1000)::bigint, 'created_by', c.created_by,
     'last_seq', c.last_seq, 'last_rev', c.last_rev, 'membership_epoch', c.membership_epoch,
     'last_activity_ms', (extract(epoch FROM c.last_activity_at) * 1000)::bigint,
     'last_message_id', c.last_message_id::text, 'last_sender_id', c.last_sender_id, 'last_preview', c.last_preview,
     'last_content_type', c.last_content_type,
     'last_message_ms', (extract(epoch FROM c.last_message_at) * 1000)::bigint,
     'last_message_deleted', c.last_message_deleted))
   FROM conversation c WHERE c.conversation_id = ANY ($2::uuid[])) AS conversations,
  (SELECT json_agg(json_build_object(
     'conversation_id', m.conversation_id, 'user_id', m.user_id, 'role', m.role,
     'joined_ms', (extract(epoch FROM m.joined_at) * 1000)::bigint, 'visible_from_seq', m.visible_from_seq,
     'joined_epoch', m.joined_epoch,
     'read_seq', m.read_seq, 'read_message_id', m.read_message_id::text,
     'delivered_seq', m.delivered_seq, 'delivered_message_id', m.delivered_message_id::text,
     'muted_until_ms', (extract(epoch FROM m.muted_until) * 1000)::bigint, 'pinned', m.pinned, 'archived', m.archived)
     ORDER BY m.joined_at, m.user_id)
   FROM conversation_member m WHERE m.conversation_id = ANY ($2::uuid[]) AND m.removed_at IS NULL) AS members`;

/** Data that can never be stored (class 22), or that breaks a constraint (class 23). */
const DATA_ERROR = /^2[23]/;

/** Read models, state and progress in Postgres. */
export class PostgresCheckpoint extends Checkpoint {
  constructor(private readonly pool: pg.Pool) {
    super();
  }

  override async commit(write: CheckpointWrite): Promise<CheckpointResult> {
    const fence = `SELECT CASE WHEN (SELECT count(*) FROM advanced) <> ${write.partitions.length}
                   THEN parley_refuse('fenced') END`;
    try {
      await this.pool.query(statementOf(checkpointParts(write), fence));
      return 'committed';
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      if (error.code === 'PY001') return 'fenced';
      throw error.code !== undefined && DATA_ERROR.test(error.code) ? new DataRefused(error) : error;
    }
  }

  override async load(
    conversationIds: readonly string[],
    expected: readonly PartitionProgress[],
  ): Promise<{ fenced: readonly number[]; states: Map<string, MaybeConversation> }> {
    const partitions = expected.map(({ partition }) => partition);
    const { rows } = await this.pool.query<LoadedRow>({
      name: 'checkpoint_load',
      text: LOAD,
      values: [partitions, conversationIds],
    });
    const loaded = rows[0];
    const found = new Map(loaded?.progress?.map((row) => [row.partition, row]));
    const fenced = expected.flatMap(({ partition, epoch, nextOffset }) => {
      const row = found.get(partition);
      return Number(row?.epoch) === epoch && Number(row?.next_offset) === nextOffset ? [] : partition;
    });
    const states = new Map<string, MaybeConversation>(conversationIds.map((id) => [id, null]));
    for (const row of loaded?.conversations ?? []) states.set(row.conversation_id, stateOf(row));
    for (const row of loaded?.members ?? []) addMember(states.get(row.conversation_id), row);
    return { fenced, states };
  }

  override async progress(partitions: readonly number[]): Promise<PartitionProgress[]> {
    const { rows } = await this.pool.query<ProgressRow>(
      `SELECT partition, epoch, next_offset, clock_ms, clock_counter, last_record_hash FROM partition_progress
       WHERE partition = ANY ($1::smallint[]) ORDER BY partition FOR UPDATE`,
      [partitions],
    );
    return rows.map(progressOf);
  }
}

export interface ProgressRow {
  partition: number;
  epoch: string;
  next_offset: string;
  clock_ms: string;
  clock_counter: number;
  last_record_hash: string | null;
}

export function progressOf(row: ProgressRow): PartitionProgress {
  return {
    partition: row.partition,
    epoch: Number(row.epoch),
    nextOffset: Number(row.next_offset),
    clock: { ms: Number(row.clock_ms), counter: row.clock_counter },
    lastRecordHash: row.last_record_hash,
  };
}

function addMember(state: MaybeConversation | undefined, row: MemberStateRow): void {
  if (!state) return;
  if (row.role === 'admin') state.admins++;
  state.members.set(row.user_id, {
    userId: row.user_id,
    role: row.role,
    joinedAt: row.joined_ms,
    joinedEpoch: row.joined_epoch,
    visibleFromSeq: row.visible_from_seq,
    readSeq: row.read_seq,
    readMessageId: row.read_message_id,
    deliveredSeq: row.delivered_seq,
    deliveredMessageId: row.delivered_message_id,
    mutedUntil: row.muted_until_ms,
    pinned: row.pinned,
    archived: row.archived,
  });
}
