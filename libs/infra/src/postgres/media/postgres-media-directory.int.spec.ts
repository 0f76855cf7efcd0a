import { randomUUID } from 'node:crypto';
import { mediaDirectoryContract } from '../../../../domain/src/media/media-directory.port.contract.js';
import { openDatabase } from '../database.js';
import { startTestPostgres } from '../embedded/testing.js';
import { PostgresMediaDirectory } from './postgres-media-directory.js';

mediaDirectoryContract('PostgresMediaDirectory', async () => {
  const server = await startTestPostgres();
  const database = await openDatabase({ url: server.url, poolSize: 5 });
  const { pool } = database;
  return {
    directory: new PostgresMediaDirectory(pool),
    async user() {
      const userId = randomUUID();
      await pool.query(
        `INSERT INTO users (user_id, username, display_name, display_name_key) VALUES ($1, $2, 'User', 'user')`,
        [userId, userId.slice(0, 30)],
      );
      return userId;
    },
    async conversation(members) {
      const conversationId = randomUUID();
      for (const [userId, visibleFromSeq] of Object.entries(members)) {
        await pool.query(
          `INSERT INTO conversation_member (conversation_id, user_id, role, joined_at, visible_from_seq, read_seq,
             delivered_seq, pinned, archived) VALUES ($1, $2, 'member', now(), $3, 0, 0, false, false)`,
          [conversationId, userId, visibleFromSeq],
        );
      }
      return conversationId;
    },
    async leave(conversationId, userId) {
      await pool.query(
        'UPDATE conversation_member SET removed_at = now() WHERE conversation_id = $1 AND user_id = $2',
        [conversationId, userId],
      );
    },
    async carry(conversationId, seq, mediaId, removedAt = null) {
      await pool.query(
        `INSERT INTO media_use (conversation_id, message_id, seq, media_id, removed_at) VALUES ($1, $2, $2, $3, $4)
         ON CONFLICT (conversation_id, message_id, media_id) DO UPDATE SET removed_at = excluded.removed_at`,
        [conversationId, seq, mediaId, removedAt === null ? null : new Date(removedAt)],
      );
    },
    async setAvatar(userId, mediaId) {
      await pool.query('UPDATE users SET avatar_media_id = $2 WHERE user_id = $1', [userId, mediaId]);
    },
    async close() {
      await database.close();
      await server.stop();
    },
  };
});
