import {
  AccountStore,
  type Credentials,
  type NewAccount,
  type NewSession,
  type Rotation,
  type RotationResult,
  searchKey,
  type UserRecord,
} from '@parley/domain';
import type { EntityManager } from 'typeorm';
import type { Database } from '../database.js';
import { storeAnswer } from '../store-answer.js';
import { SessionEntity } from './session.entity.js';
import { toUserRecord, USER_COLUMNS, UserEntity } from './user.entity.js';

/** Access tokens are stamped by the process's clock, `access_until` by the database's: this is how far they may differ. */
const CLOCK_DIFFERENCE_SECONDS = 60;

interface SessionState {
  current: boolean;
  revoked: boolean;
}

export class PostgresAccountStore extends AccountStore {
  constructor(private readonly database: Database) {
    super();
  }

  override isUsernameTaken(username: string): Promise<boolean> {
    return storeAnswer(() => this.database.dataSource.getRepository(UserEntity).existsBy({ username }));
  }

  override createAccount(account: NewAccount, session: NewSession): Promise<UserRecord | null> {
    return storeAnswer(() =>
      this.database.dataSource.transaction(async (manager) => {
        const { userId, username, displayName, passwordHash } = account;
        const values = { userId, username, displayName, passwordHash, displayNameKey: searchKey(displayName) };
        await manager.createQueryBuilder().insert().into(UserEntity).values(values).orIgnore().execute();
        const user = await manager.findOneBy(UserEntity, { userId });
        if (!user) return null;
        await insertSession(manager, userId, session);
        return toUserRecord(user);
      }),
    );
  }

  override findCredentials(username: string): Promise<Credentials | null> {
    return storeAnswer(async () => {
      const user = await this.database.dataSource
        .getRepository(UserEntity)
        .createQueryBuilder('u')
        .addSelect('u.passwordHash')
        .where('u.username = :username', { username })
        .getOne();
      return user && { user: toUserRecord(user), passwordHash: user.passwordHash };
    });
  }

  override createSession(userId: string, session: NewSession): Promise<void> {
    return storeAnswer(() => insertSession(this.database.dataSource.manager, userId, session));
  }

  override rotate(rotation: Rotation): Promise<RotationResult> {
    return storeAnswer(async () => {
      const { sessionId, presentedHash, nextHash, refreshSeconds, accessSeconds } = rotation;
      // One statement decides between two that present the same token: the second finds another hash.
      const { rows } = await this.database.pool.query<UserRecord & { deviceId: string | null }>(
        `UPDATE sessions s SET refresh_hash = $3, expires_at = now() + make_interval(secs => $4),
                access_until = GREATEST(access_until, now() + make_interval(secs => $5))
           FROM users u
          WHERE s.session_id = $1 AND s.refresh_hash = $2 AND s.revoked_at IS NULL AND s.expires_at > now()
            AND u.user_id = s.user_id
        RETURNING s.device_id AS "deviceId", ${USER_COLUMNS}`,
        [sessionId, presentedHash, nextHash, refreshSeconds, accessSeconds + CLOCK_DIFFERENCE_SECONDS],
      );
      const row = rows[0];
      if (row) return { outcome: 'rotated', user: toUserRecord(row), deviceId: row.deviceId };
      return this.refuseRotation(rotation);
    });
  }

  private async refuseRotation({ sessionId, presentedHash, authentic }: Rotation): Promise<RotationResult> {
    const { rows } = await this.database.pool.query<SessionState>(
      `SELECT refresh_hash = $2 AS current, revoked_at IS NOT NULL AS revoked FROM sessions WHERE session_id = $1`,
      [sessionId, presentedHash],
    );
    const state = rows[0];
    if (!state) return { outcome: 'unknown' };
    if (state.current) return { outcome: state.revoked ? 'revoked' : 'expired' };
    if (!authentic) return { outcome: 'unknown' };
    await this.database.pool.query(
      'UPDATE sessions SET revoked_at = clock_timestamp() WHERE session_id = $1 AND revoked_at IS NULL',
      [sessionId],
    );
    return { outcome: 'reused' };
  }

  override revokeSession(
    userId: string,
    token: { sessionId: string; hash: Buffer; authentic: boolean },
  ): Promise<boolean> {
    return storeAnswer(async () => {
      const { rowCount } = await this.database.pool.query(
        `WITH ended AS (
           UPDATE sessions SET revoked_at = clock_timestamp()
            WHERE session_id = $1 AND user_id = $2 AND revoked_at IS NULL AND ($3 OR refresh_hash = $4)
            RETURNING session_id, user_id, device_id),
         silent AS (
           DELETE FROM user_devices d USING ended e WHERE d.user_id = e.user_id AND d.device_id = e.device_id
             AND NOT EXISTS (SELECT FROM sessions s WHERE s.user_id = e.user_id AND s.device_id = e.device_id
               AND s.session_id <> e.session_id AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()))
         SELECT 1 FROM ended`,
        [token.sessionId, userId, token.authentic, token.hash],
      );
      return rowCount === 1;
    });
  }

  override async purgeExpiredSessions(limit: number): Promise<number> {
    const { rowCount } = await this.database.pool.query(
      `DELETE FROM sessions WHERE session_id IN (
         SELECT session_id FROM sessions
          WHERE expires_at < now() - interval '1 day' AND access_until < now() - interval '1 day' LIMIT $1)`,
      [limit],
    );
    return rowCount ?? 0;
  }
}

async function insertSession(manager: EntityManager, userId: string, session: NewSession): Promise<void> {
  const { sessionId, deviceId, refreshHash, refreshSeconds, accessSeconds } = session;
  await manager
    .createQueryBuilder()
    .insert()
    .into(SessionEntity)
    .values({
      sessionId,
      userId,
      deviceId,
      refreshHash,
      expiresAt: () => 'now() + make_interval(secs => :refreshSeconds)',
      accessUntil: () => 'now() + make_interval(secs => :accessSeconds)',
    })
    .setParameters({ refreshSeconds, accessSeconds: accessSeconds + CLOCK_DIFFERENCE_SECONDS })
    .execute();
}
