import type { ContentType, ConversationType, PushProviderName } from '@parley/contracts';
import {
  DELIVERY_WAIT_MS,
  type MessageNotice,
  PushOutbox,
  type PushTask,
  type ReadMark,
  type Recipient,
  TASK_CLAIM_MS,
  type TaskEnd,
} from '@parley/domain';
import type { Pool, PoolClient } from 'pg';
import { storeAnswer } from '../store-answer.js';
import * as sql from './push-statements.js';

interface TaskRow {
  kind: PushTask['kind'];
  user_id: string;
  device_id: string;
  provider: PushProviderName;
  push_token: string;
  conversation_id: string;
  seq: string;
  message_id: string;
  claim: string;
  attempts: number;
  sender_id: string | null;
  content_type: ContentType | null;
  sender_name: string | null;
  conversation_type: ConversationType | null;
  conversation_name: string | null;
  preview: string | null;
  age_ms: string;
  superfluous: boolean | null;
  early: boolean | null;
  early_ms: string;
  badge: string;
}

export interface PushOutboxOptions {
  /** Whether this server sends previews at all. */
  previews: boolean;
  /** Those that are configured: devices of others get no tasks, which nobody would take. */
  providers: readonly PushProviderName[];
  claimMs?: number;
  deliveryWaitMs?: number;
}

/** Tasks as rows, one for each device and conversation. */
export class PostgresPushOutbox extends PushOutbox {
  constructor(
    private readonly pool: Pool,
    private readonly options: PushOutboxOptions,
  ) {
    super();
  }

  override async hasDevices(): Promise<boolean> {
    const { rows } = await storeAnswer(() =>
      this.pool.query<{ any: boolean }>('SELECT EXISTS (SELECT FROM user_devices WHERE provider = ANY ($1)) AS any', [
        this.options.providers,
      ]),
    );
    return rows[0]?.any === true;
  }

  override async recipients(notice: MessageNotice, after: string | null, limit: number): Promise<string[]> {
    const values = [notice.conversationId, notice.senderId, notice.seq, after, limit, this.options.providers];
    const { rows } = await storeAnswer(() =>
      this.pool.query<{ user_id: string }>({ name: 'push_recipients', text: sql.RECIPIENTS, values }),
    );
    return rows.map(({ user_id }) => user_id);
  }

  override async add(notice: MessageNotice, recipients: readonly Recipient[], waitMs: number): Promise<void> {
    const { conversationId, seq, messageId, senderId, contentType, preview, sentAt } = notice;
    const users = recipients.map(({ userId }) => userId);
    const unlessDelivered = recipients.map((recipient) => recipient.unlessDelivered);
    const place = [conversationId, seq, messageId, senderId, contentType, preview, sentAt];
    const values = [...place, users, unlessDelivered, waitMs, this.options.providers];
    await storeAnswer(() => this.pool.query({ name: 'push_add', text: sql.ADD, values }));
  }

  override async edited(conversationId: string, seq: number, preview: string): Promise<void> {
    await storeAnswer(async () => {
      await this.pool.query(sql.EDITED_KEPT, [conversationId, seq, preview]);
      await this.pool.query(sql.EDITED, [conversationId, seq, preview]);
    });
  }

  override async deleted(conversationId: string, seq: number, messageId: string): Promise<void> {
    await this.transaction(async (client) => {
      await client.query(sql.MARK_DELETED, [conversationId, seq, messageId]);
      await client.query(sql.FALL_BACK_WAITING, [conversationId, seq]);
      await client.query(sql.DROP_DELETED, [conversationId, seq]);
      await client.query(sql.CLEAR_DELETED, [conversationId, messageId]);
    });
  }

  override async read(conversationId: string, marks: readonly ReadMark[]): Promise<void> {
    const values = [conversationId, marks.map(({ userId }) => userId), marks.map(({ seq }) => seq)];
    await storeAnswer(async () => {
      await this.pool.query({ name: 'push_drop_read', text: sql.DROP_READ, values });
      await this.pool.query({ name: 'push_clear_read', text: sql.CLEAR_READ, values });
    });
  }

  override async claim(provider: PushProviderName, limit: number): Promise<PushTask[]> {
    const { previews, claimMs = TASK_CLAIM_MS, deliveryWaitMs = DELIVERY_WAIT_MS } = this.options;
    const values = [provider, limit, claimMs, previews, deliveryWaitMs];
    const { rows } = await storeAnswer(() => this.pool.query<TaskRow>({ name: 'push_claim', text: sql.CLAIM, values }));
    const early = rows.filter((row) => row.early && !row.superfluous && Number(row.early_ms) > 0);
    for (const row of early) {
      const task = [row.user_id, row.device_id, row.conversation_id, row.claim];
      await storeAnswer(() => this.pool.query(sql.LATER, [...task, row.seq, row.early_ms]));
    }
    return rows.filter((row) => !early.includes(row)).map(taskOf);
  }

  override async finish(task: PushTask, end: TaskEnd): Promise<void> {
    const { userId, deviceId, conversationId, seq, messageId, kind } = task;
    const key = [userId, deviceId, conversationId, task.claim];
    if (end.is === 'gone') {
      const token = typeof task.pushToken === 'string' ? task.pushToken : JSON.stringify(task.pushToken);
      // A token that was replaced meanwhile stays; the task is taken again then.
      await storeAnswer(() => this.pool.query(sql.GONE, [userId, deviceId, token]));
      return;
    }
    if (end.is === 'again' || end.is === 'later') {
      await storeAnswer(() => this.pool.query(sql.AGAIN, [...key, end.inMs, end.is === 'again' ? 0 : 1]));
      return;
    }
    const isSent = end.is === 'sent';
    await this.transaction(async (client) => {
      if (isSent && kind === 'message') await client.query(sql.SHOWN, [...key, seq, messageId]);
      if (isSent && kind === 'clear') await client.query(sql.CLEARED, [userId, deviceId, conversationId, seq]);
      if (isSent === (kind === 'clear')) {
        const { rowCount: fallen } = await client.query(sql.FALL_BACK_HELD, [...key, seq, kind]);
        if (fallen) return;
      }
      const { rowCount } = await client.query(sql.FORGET, [...key, seq, kind]);
      if (rowCount) return;
      if (isSent) await client.query(sql.FOLLOW_SENT, [...key, seq]);
      else await client.query(sql.FOLLOW, key);
    });
    // Whoever read or deleted while the task was under way left the taking away to its end. Only after the commit: what is read from
    // now on finds in the table what is shown. A clear that was refused would come for ever.
    if (kind === 'message') {
      await storeAnswer(() => this.pool.query(sql.CLEAR_IF_OVER, [userId, deviceId, conversationId]));
    }
  }

  private transaction(work: (client: PoolClient) => Promise<void>): Promise<void> {
    return storeAnswer(async () => {
      const client = await this.pool.connect();
      let broken: Error | undefined;
      try {
        await client.query('BEGIN');
        await work(client);
        await client.query('COMMIT');
      } catch (error) {
        // Not used again: what its transaction is in is not known.
        broken = error as Error;
        throw error;
      } finally {
        client.release(broken);
      }
    });
  }
}

function taskOf(row: TaskRow): PushTask {
  const { kind, provider, preview } = row;
  return {
    kind,
    provider,
    preview,
    userId: row.user_id,
    deviceId: row.device_id,
    pushToken: provider === 'webpush' ? (JSON.parse(row.push_token) as PushTask['pushToken']) : row.push_token,
    conversationId: row.conversation_id,
    seq: Number(row.seq),
    messageId: row.message_id,
    claim: row.claim,
    attempt: row.attempts,
    isSuperfluous: row.superfluous === true,
    ageMs: Number(row.age_ms),
    badge: Number(row.badge),
    conversationType: row.conversation_type ?? 'direct',
    conversationName: row.conversation_name,
    senderId: row.sender_id,
    senderName: row.sender_name,
    contentType: row.content_type,
  };
}
