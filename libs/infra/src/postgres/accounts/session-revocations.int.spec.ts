import { randomBytes, randomUUID } from 'node:crypto';
import type { NewSession } from '@parley/domain';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { sessionRevocationsContract } from '../../../../domain/src/accounts/session-revocations.port.contract.js';
import { PostgresAccountStore } from './postgres-account-store.js';
import { PostgresSessionRevocations, type RevocationPolling } from './postgres-session-revocations.js';
import { SessionPurge } from './session-purge.js';
import { startTestDatabase, type TestDatabase } from './test-database.testing.js';

let test: TestDatabase;
let accounts: PostgresAccountStore;
const started: PostgresSessionRevocations[] = [];

beforeAll(async () => {
  test = await startTestDatabase();
  accounts = new PostgresAccountStore(test.database);
});
afterEach(async () => {
  for (const revocations of started.splice(0)) await revocations.stop();
});
afterAll(() => test?.stop());

async function start(options: RevocationPolling = { pollMs: 20 }): Promise<PostgresSessionRevocations> {
  const revocations = new PostgresSessionRevocations(test.database, options);
  started.push(revocations);
  await revocations.start();
  return revocations;
}

async function aSession(change: Partial<NewSession> = {}) {
  const [userId] = (await test.addUsers(1)) as [string];
  const [sessionId, hash] = [randomUUID() as string, randomBytes(32)];
  const times = { refreshSeconds: 600, accessSeconds: 60 };
  await accounts.createSession(userId, { sessionId, deviceId: null, refreshHash: hash, ...times, ...change });
  return { userId, sessionId, token: { sessionId, hash, authentic: true } };
}

sessionRevocationsContract('Postgres', () => start());

describe('Postgres session revocations', () => {
  it('hears of a session that another process ended, within two seconds at the real pace', async () => {
    const revocations = await start({});
    const heard = vi.fn<(ids: readonly string[]) => void>();
    revocations.onRevoked(heard);
    const { userId, sessionId, token } = await aSession();
    await accounts.revokeSession(userId, token);
    await expect.poll(() => revocations.isRevoked(sessionId), { timeout: 2_000, interval: 20 }).toBe(true);
    expect(heard.mock.calls).toEqual([[[sessionId]]]);
  });

  it('knows at start what was ended before', async () => {
    const { userId, sessionId, token } = await aSession();
    await accounts.revokeSession(userId, token);
    expect((await start()).isRevoked(sessionId)).toBe(true);
  });

  it('does not carry a session whose access tokens have all run out', async () => {
    const { userId, sessionId, token } = await aSession({ accessSeconds: -120 });
    await accounts.revokeSession(userId, token);
    expect((await start()).isRevoked(sessionId)).toBe(false);
  });

  it('does not miss a revocation that is committed long after it was dated', async () => {
    const revocations = await start();
    const { sessionId } = await aSession();
    const late = await test.database.pool.connect();
    await late.query('BEGIN');
    await late.query(
      `UPDATE sessions SET revoked_at = clock_timestamp() - interval '25 seconds' WHERE session_id = $1`,
      [sessionId],
    );
    // A session that ended meanwhile shows that polls have gone past the late one.
    const other = await aSession();
    await accounts.revokeSession(other.userId, other.token);
    await expect.poll(() => revocations.isRevoked(other.sessionId)).toBe(true);
    expect(revocations.isRevoked(sessionId)).toBe(false);
    await late.query('COMMIT');
    late.release();
    await expect.poll(() => revocations.isRevoked(sessionId)).toBe(true);
  });

  it('goes on when polls fail: says so once, backs off, and finds what it missed', async () => {
    const onTrouble = vi.fn<(error: unknown) => void>();
    const revocations = await start({ pollMs: 20, onTrouble });
    const { userId, sessionId, token } = await aSession();
    await test.database.pool.query('ALTER TABLE sessions RENAME TO sessions_away');
    await expect.poll(() => onTrouble.mock.calls.length).toBe(1);
    await test.database.pool.query('ALTER TABLE sessions_away RENAME TO sessions');
    await accounts.revokeSession(userId, token);
    await expect.poll(() => revocations.isRevoked(sessionId), { timeout: 5_000 }).toBe(true);
    expect(onTrouble.mock.calls.map(([error]) => error === null)).toEqual([false, true]);
  });

  it('learns nothing after it was stopped', async () => {
    const revocations = await start({ pollMs: 5 });
    await revocations.stop();
    const other = await start({ pollMs: 5 });
    const { userId, sessionId, token } = await aSession();
    await accounts.revokeSession(userId, token);
    await expect.poll(() => other.isRevoked(sessionId)).toBe(true);
    expect(revocations.isRevoked(sessionId)).toBe(false);
  });
});

describe('session purge', () => {
  it('deletes in several statements until nothing is left to delete', async () => {
    const deleted = [1_000, 1_000, 7];
    const store = {
      purgeExpiredSessions: vi.fn<(limit: number) => Promise<number>>(() => Promise.resolve(deleted.shift() ?? 0)),
    };
    expect(await new SessionPurge(store as unknown as PostgresAccountStore).purge()).toBe(2_007);
    expect(store.purgeExpiredSessions).toHaveBeenCalledTimes(3);
  });
});
