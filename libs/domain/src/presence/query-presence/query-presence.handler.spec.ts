import { describe, expect, it } from 'vitest';
import { DomainError } from '../../errors/domain-error.js';
import { SessionRegistry, type SessionsByUser } from '../../ports/session-registry.port.js';
import { type PresencePair, PresenceRecords } from '../presence-records.port.js';
import { QueryPresenceHandler } from './query-presence.handler.js';
import { QueryPresence } from './query-presence.query.js';

const SEEN_AT = Date.UTC(2026, 10, 22, 10);

/** Ada and Cyd are there, at one device each. */
class Sessions extends SessionRegistry {
  isAway = false;
  askedFor: string[] = [];

  override async put(): Promise<boolean> {
    return true;
  }
  override async ofUsers(userIds: readonly string[]): Promise<SessionsByUser | null> {
    this.askedFor.push(...userIds);
    if (this.isAway) return null;
    const place = { deviceId: 'd', gatewayId: 'g', connected: true, connectedAt: 0, expiresInMs: 1 } as const;
    return new Map([
      ['ada', [{ userId: 'ada', ...place, status: 'online' as const }]],
      ['cyd', [{ userId: 'cyd', ...place, status: 'idle' as const }]],
    ]);
  }
  override onReturn(): () => void {
    return () => {};
  }
}

/** Nobody sees Cyd; everybody was seen at the same time. */
class Records extends PresenceRecords {
  isAway = false;
  lastSeenOf: string[] = [];

  override async recordSeen(): Promise<void> {}
  override async lastSeen(userIds: readonly string[]): Promise<Map<string, number>> {
    this.lastSeenOf.push(...userIds);
    return new Map(userIds.map((userId) => [userId, SEEN_AT]));
  }
  override async canSee(pairs: readonly PresencePair[]): Promise<boolean[]> {
    if (this.isAway) throw new DomainError('store_unavailable');
    return pairs.map(({ userId }) => userId !== 'cyd');
  }
}

describe('a query for presences', () => {
  const lastSeen = new Date(SEEN_AT).toISOString();
  function open() {
    const [sessions, records] = [new Sessions(), new Records()];
    const handler = new QueryPresenceHandler(sessions, records);
    const query = (...userIds: string[]) => handler.execute(new QueryPresence('viewer', userIds));
    return { sessions, records, query };
  }

  it('is answered on one page, in its order, each user once', async () => {
    const { query } = open();
    expect(await query('ben', 'ada', 'ben')).toEqual({
      items: [
        { userId: 'ben', status: 'offline', lastSeen },
        { userId: 'ada', status: 'online', lastSeen: null },
      ],
      nextCursor: null,
    });
  });

  it('looks at nothing of those whom the viewer may not see', async () => {
    const { query, sessions, records } = open();
    expect((await query('cyd', 'ada')).items[0]).toEqual({ userId: 'cyd', status: 'offline', lastSeen: null });
    expect([...sessions.askedFor, ...records.lastSeenOf]).toEqual(['ada']);
  });

  it('shows everybody offline while nobody can say who is there', async () => {
    const { query, sessions } = open();
    sessions.isAway = true;
    expect((await query('ada')).items).toEqual([{ userId: 'ada', status: 'offline', lastSeen }]);
  });

  it('is refused while it cannot be read who may be seen', async () => {
    const { query, records } = open();
    records.isAway = true;
    await expect(query('ada')).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});
