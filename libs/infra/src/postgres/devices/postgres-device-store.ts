import { createHash } from 'node:crypto';
import type { Device, RegisterDevice } from '@parley/contracts';
import { DEVICES_PER_USER_MAX, DeviceStore } from '@parley/domain';
import type { Pool } from 'pg';
import { storeAnswer } from '../store-answer.js';

const COLUMNS = 'device_id, platform, provider, push_token, created_at, updated_at';

// The lock of the user's row serves two purposes: its devices are counted by one at a time, and the user stays.
const LOCK_USER = 'SELECT 1 FROM users WHERE user_id = $1 FOR NO KEY UPDATE';
// Two who register the same token at once would each see none of the other's.
const LOCK_TOKEN = "SELECT pg_advisory_xact_lock(hashtextextended($1 || encode($2::bytea, 'hex'), 0))";
const TAKE_TOKEN = `DELETE FROM user_devices
  WHERE provider = $1 AND token_hash = $2 AND (user_id, device_id) <> ($3::uuid, $4::uuid)`;
const REGISTER = `INSERT INTO user_devices AS d (user_id, device_id, platform, provider, push_token, token_hash)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (user_id, device_id) DO UPDATE SET platform = excluded.platform, provider = excluded.provider,
    push_token = excluded.push_token, token_hash = excluded.token_hash, updated_at = clock_timestamp()
  RETURNING ${COLUMNS}`;
const DROP_OLDEST = `DELETE FROM user_devices WHERE user_id = $1 AND device_id IN (
  SELECT device_id FROM user_devices WHERE user_id = $1 ORDER BY updated_at DESC, device_id OFFSET $2)`;

interface DeviceRow {
  device_id: string;
  platform: Device['platform'];
  provider: Device['provider'];
  push_token: string;
  created_at: Date;
  updated_at: Date;
}

/** Devices as rows. A token is compared by its hash: it may be longer than an index takes. */
export class PostgresDeviceStore extends DeviceStore {
  constructor(private readonly pool: Pool) {
    super();
  }

  override register(userId: string, deviceId: string, registration: RegisterDevice): Promise<Device | null> {
    return storeAnswer(async () => {
      const client = await this.pool.connect();
      let broken: Error | undefined;
      try {
        await client.query('BEGIN');
        const { platform, provider } = registration;
        const hash = tokenHash(registration);
        await client.query(LOCK_TOKEN, [provider, hash]);
        const { rowCount } = await client.query(LOCK_USER, [userId]);
        if (rowCount === 0) {
          await client.query('ROLLBACK');
          return null;
        }
        await client.query(TAKE_TOKEN, [provider, hash, userId, deviceId]);
        const values = [userId, deviceId, platform, provider, tokenText(registration), hash];
        const { rows } = await client.query<DeviceRow>(REGISTER, values);
        await client.query(DROP_OLDEST, [userId, DEVICES_PER_USER_MAX]);
        await client.query('COMMIT');
        return deviceOf(rows[0]!);
      } catch (error) {
        // Not used again: what its transaction is in is not known.
        broken = error as Error;
        throw error;
      } finally {
        client.release(broken);
      }
    });
  }

  override async find(userId: string, deviceId: string): Promise<Device | null> {
    const { rows } = await storeAnswer(() =>
      this.pool.query<DeviceRow>(`SELECT ${COLUMNS} FROM user_devices WHERE user_id = $1 AND device_id = $2`, [
        userId,
        deviceId,
      ]),
    );
    return rows[0] ? deviceOf(rows[0]) : null;
  }

  override async list(userId: string): Promise<Device[]> {
    const { rows } = await storeAnswer(() =>
      this.pool.query<DeviceRow>(`SELECT ${COLUMNS} FROM user_devices WHERE user_id = $1 ORDER BY device_id`, [userId]),
    );
    return rows.map(deviceOf);
  }

  override async remove(userId: string, deviceId: string): Promise<boolean> {
    const { rowCount } = await storeAnswer(() =>
      this.pool.query('DELETE FROM user_devices WHERE user_id = $1 AND device_id = $2', [userId, deviceId]),
    );
    return rowCount === 1;
  }
}

function tokenText({ pushToken }: RegisterDevice): string {
  return typeof pushToken === 'string' ? pushToken : JSON.stringify(pushToken);
}

/** A browser's subscription is its endpoint, whatever keys it comes with. */
function tokenHash({ pushToken }: RegisterDevice): Buffer {
  const text = typeof pushToken === 'string' ? pushToken : pushToken.endpoint;
  return createHash('sha256').update(text).digest();
}

function deviceOf({ device_id, platform, provider, push_token, created_at, updated_at }: DeviceRow): Device {
  return {
    deviceId: device_id,
    platform,
    provider,
    pushToken: provider === 'webpush' ? (JSON.parse(push_token) as Device['pushToken']) : push_token,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  };
}
