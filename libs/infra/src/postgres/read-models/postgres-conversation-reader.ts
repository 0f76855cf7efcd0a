import type { Conversation, ConversationType, Member, Role } from '@parley/contracts';
import {
  type ChangedPage,
  type ChangePosition,
  type ChangesQuery,
  type ConversationPlace,
  ConversationReader,
  type Head,
  type MemberPlace,
  type MemberReceipt,
  type Membership,
  type MemberView,
} from '@parley/domain';
import type pg from 'pg';
import type { CommitsUnderWay } from '../batch-commit/commits-under-way.js';
import type { Database } from '../database.js';
import { storeAnswer } from '../store-answer.js';
import { ChangedConversations } from './changed-conversations.js';
import {
  CONVERSATION_COLUMNS,
  conversationOf,
  MEMBER_COLUMNS,
  memberMarks,
  PRESENT,
  type MemberRow,
  SHOWN_MEMBERS,
  shownMembers,
  type ShownMembersRow,
  toConversation,
  toMember,
  VIEW,
  VIEWER_COLUMNS,
  type ViewRow,
} from './conversation-view.js';
import type { MemberViews } from './member-views.js';
import { readReceipts } from './receipt-advances.js';

const MEMBERSHIP = `
  SELECT c.type, c.membership_epoch::float8, m.user_id::text, m.role, m.visible_from_seq::float8,
    m.joined_epoch::float8
  FROM conversation c
  LEFT JOIN conversation_member m ON m.conversation_id = c.conversation_id AND m.removed_at IS NULL
  WHERE c.conversation_id = $1`;

const MEMBER_VIEW = `
  SELECT m.visible_from_seq::float8, c.last_seq::float8, c.last_rev::float8, m.read_seq::float8, m.read_message_id::text
  FROM conversation_member m JOIN conversation c ON c.conversation_id = m.conversation_id
  WHERE m.conversation_id = $1 AND m.user_id = $2 AND m.removed_at IS NULL`;

const ONE_VIEW = `
  SELECT v.*, s.*
  FROM (SELECT $1::uuid AS conversation_id, $2::uuid AS user_id) p
  JOIN LATERAL (${VIEW}) v ON true
  CROSS JOIN LATERAL (${SHOWN_MEMBERS}) s`;

const LIST = `
  SELECT v.*, s.*
  FROM (SELECT m.conversation_id, m.user_id, c.last_activity_at
        FROM conversation_member m
        JOIN LATERAL (SELECT d.last_activity_at FROM conversation d
                      WHERE d.conversation_id = m.conversation_id OFFSET 0) c ON true
        WHERE m.user_id = $1 AND m.removed_at IS NULL AND ($2::boolean IS NULL OR m.archived = $2)
          AND ($3::timestamptz IS NULL OR (c.last_activity_at, m.conversation_id) < ($3::timestamptz, $4::uuid))
        ORDER BY c.last_activity_at DESC, m.conversation_id DESC LIMIT $5) p
  JOIN LATERAL (${VIEW}) v ON true
  CROSS JOIN LATERAL (${SHOWN_MEMBERS}) s
  ORDER BY v.last_activity_at DESC, v.conversation_id DESC`;

/** Many viewers of one conversation: the members that it shows come once, in the first row. */
const VIEWERS = `
  WITH shown AS MATERIALIZED (SELECT s.* FROM (SELECT $1::uuid AS conversation_id) v CROSS JOIN LATERAL (${SHOWN_MEMBERS}) s)
  SELECT v.*, s.*
  FROM (SELECT ${CONVERSATION_COLUMNS}, ${VIEWER_COLUMNS}, row_number() OVER () AS number
        FROM conversation c
        JOIN conversation_member me ON me.conversation_id = c.conversation_id
        WHERE c.conversation_id = $1 AND me.user_id = ANY ($2::uuid[]) AND me.removed_at IS NULL) v
  LEFT JOIN shown s ON v.number = 1
  ORDER BY v.number`;

const MEMBERS_FROM = `
  LEFT JOIN LATERAL (SELECT n.display_name FROM users n WHERE n.user_id = m.user_id OFFSET 0) u ON true`;

/** The viewer's own bound stands in a row of its own, so that no row at all means no member. */
const MEMBERS = `
  SELECT p.viewer_from_seq::float8 AS viewer_from_seq, l.*
  FROM (SELECT me.visible_from_seq AS viewer_from_seq FROM conversation_member me
        WHERE me.conversation_id = $1 AND me.user_id = $2 AND me.removed_at IS NULL) p
  LEFT JOIN LATERAL (
    SELECT ${MEMBER_COLUMNS}
    FROM (SELECT o.* FROM conversation_member o
          WHERE o.conversation_id = $1 AND ${PRESENT}
            AND ($3::timestamptz IS NULL OR (o.joined_at, uuid_send(o.user_id)) > ($3::timestamptz, uuid_send($4::uuid)))
          ORDER BY o.joined_at, uuid_send(o.user_id) LIMIT $5) m
    ${MEMBERS_FROM}) l ON true
  ORDER BY l.joined_at, l.user_id`;

const MEMBERS_BY_ID = `
  SELECT ${MEMBER_COLUMNS}
  FROM conversation_member m ${MEMBERS_FROM}
  WHERE m.conversation_id = $1 AND m.user_id = ANY ($2::uuid[]) AND m.removed_at IS NULL
  ORDER BY m.joined_at, m.user_id`;

type MembershipRow = [ConversationType, number, string | null, Role, number, number];
type MemberViewRow = [number, number, number, number, string | null];
type MembersRow = { [Key in keyof MemberRow]: MemberRow[Key] | null } & { viewer_from_seq: number };

/**
 * The read models in plain SQL: a query is one statement, found by key or index whatever the planner knows of the tables.
 * @throws DomainError `store_unavailable` when the database is away or silent.
 */
export class PostgresConversationReader extends ConversationReader {
  private readonly pool: pg.Pool;
  private readonly changes: ChangedConversations;

  /**
   * @param remembered for a process that makes all commits itself and tells them to it
   * @param commits for the same: what is remembered here or elsewhere must not be behind what a statement showed
   */
  constructor(
    database: Pick<Database, 'pool'>,
    private readonly remembered: MemberViews | null = null,
    private readonly commits: CommitsUnderWay | null = null,
  ) {
    super();
    this.pool = database.pool;
    this.changes = new ChangedConversations(database.pool);
  }

  override async membership(conversationId: string): Promise<Membership | null> {
    const query = { name: 'membership', text: MEMBERSHIP, values: [conversationId], rowMode: 'array' as const };
    const { rows } = await storeAnswer(() => this.pool.query<MembershipRow>(query));
    const first = rows[0];
    if (!first) return null;
    const members: Membership['members'] = new Map();
    for (const [, , userId, role, visibleFromSeq, joinedEpoch] of rows) {
      if (userId !== null) members.set(userId, { role, visibleFromSeq, joinedEpoch });
    }
    return { conversationId, type: first[0], membershipEpoch: first[1], members };
  }

  override async memberView(conversationId: string, userId: string): Promise<MemberView | null> {
    const read = (): Promise<MemberView | null> => this.readMemberView(conversationId, userId);
    if (!this.remembered) return read();
    const known = this.remembered.get(conversationId, userId);
    if (known) return known;
    const view = await this.remembered.fill(conversationId, userId, read);
    await this.commits?.known();
    return view;
  }

  private async readMemberView(conversationId: string, userId: string): Promise<MemberView | null> {
    const values = [conversationId, userId];
    const query = { name: 'member-view', text: MEMBER_VIEW, values, rowMode: 'array' as const };
    const { rows } = await storeAnswer(() => this.pool.query<MemberViewRow>(query));
    if (!rows[0]) return null;
    const [visibleFromSeq, lastSeq, lastRev, readSeq, readMessageId] = rows[0];
    return {
      visibleFromSeq,
      lastSeq,
      lastRev,
      readSeq,
      readMessageId: readSeq >= visibleFromSeq ? readMessageId : null,
    };
  }

  override async conversation(conversationId: string, userId: string): Promise<Conversation | null> {
    const rows = await this.views('conversation-view', ONE_VIEW, [conversationId, userId]);
    return rows[0] ?? null;
  }

  override async conversationFor(
    conversationId: string,
    userIds: readonly string[],
  ): Promise<Map<string, Conversation>> {
    const query = { name: 'conversation-viewers', text: VIEWERS, values: [conversationId, userIds] };
    const { rows } = await storeAnswer(() => this.pool.query<ViewRow & ShownMembersRow>(query));
    await this.commits?.known();
    const shown = rows[0] ? shownMembers(rows[0]) : [];
    // Most viewers have been there from the beginning: a thousand of them share one list.
    const members = new Map<string, Member[]>();
    const membersFor = (visibleFromSeq: string): Member[] => {
      const known = members.get(visibleFromSeq) ?? shown.map((marks) => toMember(marks, Number(visibleFromSeq)));
      members.set(visibleFromSeq, known);
      return known;
    };
    return new Map(rows.map((row) => [row.viewer_id, toConversation(row, membersFor(row.visible_from_seq))]));
  }

  override list(
    userId: string,
    { archived, after, limit }: { archived: boolean | null; after: ConversationPlace | null; limit: number },
  ): Promise<Conversation[]> {
    const place = [after?.lastActivityAt ?? null, after?.conversationId ?? null];
    return this.views('conversation-list', LIST, [userId, archived, ...place, limit]);
  }

  override async members(
    conversationId: string,
    viewerId: string,
    { after, limit }: { after: MemberPlace | null; limit: number },
  ): Promise<Member[] | null> {
    const values = [conversationId, viewerId, after?.joinedAt ?? null, after?.userId ?? null, limit];
    const query = { name: 'conversation-members', text: MEMBERS, values };
    const { rows } = await storeAnswer(() => this.pool.query<MembersRow>(query));
    const first = rows[0];
    if (!first) return null;
    if (first.user_id === null) return [];
    return rows.map((row) => toMember(memberMarks(row as MemberRow), first.viewer_from_seq));
  }

  override async membersById(conversationId: string, userIds: readonly string[]): Promise<Member[]> {
    const query = { name: 'members-by-id', text: MEMBERS_BY_ID, values: [conversationId, userIds] };
    const { rows } = await storeAnswer(() => this.pool.query<MemberRow>(query));
    return rows.map((row) => toMember(memberMarks(row), 0));
  }

  override async changedSince(userId: string, query: ChangesQuery): Promise<ChangedPage> {
    const page = await storeAnswer(() => this.changes.since(userId, query));
    await this.commits?.known();
    return page;
  }

  override headsSince(
    userIds: readonly string[],
    since: ChangePosition | null,
  ): Promise<{ position: ChangePosition; heads: Head[] }> {
    return storeAnswer(() => this.changes.heads(userIds, since));
  }

  override receipts(
    conversationId: string,
    message: { seq: number; senderId: string; at: number },
  ): Promise<MemberReceipt[]> {
    return storeAnswer(() => readReceipts(this.pool, conversationId, message));
  }

  private async views(name: string, text: string, values: unknown[]): Promise<Conversation[]> {
    const { rows } = await storeAnswer(() => this.pool.query<ViewRow & ShownMembersRow>({ name, text, values }));
    await this.commits?.known();
    return rows.map(conversationOf);
  }
}
