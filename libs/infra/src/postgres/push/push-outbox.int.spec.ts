import { randomUUID } from 'node:crypto';
import { pushOutboxContract } from '../../../../domain/src/notifications/push-outbox.port.contract.js';
import { startTestDatabase } from '../accounts/test-database.testing.js';
import { PostgresDeviceStore } from '../devices/postgres-device-store.js';
import { PostgresPushOutbox } from './postgres-push-outbox.js';

const CLAIM_MS = 400;

pushOutboxContract('Postgres', async () => {
  const { database, addUsers, stop } = await startTestDatabase();
  const { pool } = database;
  const devices = new PostgresDeviceStore(pool);
  return {
    outbox: new PostgresPushOutbox(pool, {
      previews: true,
      providers: ['fcm', 'webpush'],
      claimMs: CLAIM_MS,
      deliveryWaitMs: 300,
    }),
    claimMs: CLAIM_MS,
    addUsers,
    close: stop,
    addDevice: async (userId, provider = 'fcm') => {
      const [deviceId, token] = [randomUUID() as string, randomUUID()];
      const keys = { p256dh: 'key', auth: 'secret' };
      if (provider === 'webpush') {
        const pushToken = { endpoint: `https://push.example/${token}`, keys };
        await devices.register(userId, deviceId, { platform: 'web', provider, pushToken });
      } else {
        await devices.register(userId, deviceId, { platform: 'ios', provider, pushToken: token.replaceAll('-', '') });
      }
      return deviceId;
    },
    hasDevice: async (userId, deviceId) => (await devices.find(userId, deviceId)) !== null,
    addGroup: async (name, userIds) => {
      const conversationId = randomUUID();
      await pool.query(
        `INSERT INTO conversation (conversation_id, type, name, created_at, created_by, last_seq, last_rev,
           membership_epoch, member_count, last_activity_at)
         VALUES ($1, 'group', $2, now(), $3, 10, 11, 1, $4, now())`,
        [conversationId, name, userIds[0], userIds.length],
      );
      await pool.query(
        `INSERT INTO conversation_member (conversation_id, user_id, role, joined_at, visible_from_seq, read_seq,
           delivered_seq, pinned, archived)
         SELECT $1, u, 'member', now(), 1, 0, 0, false, false FROM unnest($2::uuid[]) AS u`,
        [conversationId, userIds],
      );
      return conversationId;
    },
    setMember: async (conversationId, userId, { read, delivered, mutedMs, visibleFrom, removed }) => {
      await pool.query(
        `UPDATE conversation_member SET read_seq = coalesce($3, read_seq), delivered_seq = coalesce($4, delivered_seq),
           muted_until = coalesce(now() + make_interval(secs => $5::float8 / 1000), muted_until),
           visible_from_seq = coalesce($6, visible_from_seq), removed_at = CASE WHEN $7 THEN now() END
         WHERE conversation_id = $1 AND user_id = $2`,
        [conversationId, userId, read, delivered, mutedMs, visibleFrom, removed === true],
      );
    },
    setPreview: async (userId, wanted) => {
      await pool.query('UPDATE users SET push_preview = $2 WHERE user_id = $1', [userId, wanted]);
    },
  };
});
