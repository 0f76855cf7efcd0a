import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page, Presence } from '@parley/contracts';
import { SessionRegistry } from '../../ports/session-registry.port.js';
import { PresenceRecords } from '../presence-records.port.js';
import { hiddenPresence, presenceOf, statusOf } from '../presence-status.js';
import { QueryPresence } from './query-presence.query.js';

@QueryHandler(QueryPresence)
export class QueryPresenceHandler implements IQueryHandler<QueryPresence> {
  constructor(
    @Inject(SessionRegistry) private readonly sessions: SessionRegistry,
    @Inject(PresenceRecords) private readonly records: PresenceRecords,
  ) {}

  async execute({ viewerId, userIds }: QueryPresence): Promise<Page<Presence>> {
    const users = [...new Set(userIds)];
    const isSeen = await this.records.canSee(users.map((userId) => ({ viewerId, userId })));
    const seen = users.filter((_, i) => isSeen[i]);
    // Null: nobody can say, and who is unknown is offline.
    const sessions = await this.sessions.ofUsers(seen);
    const statuses = new Map(seen.map((userId) => [userId, statusOf(sessions?.get(userId) ?? [])]));
    const lastSeen = await this.records.lastSeen(seen.filter((userId) => statuses.get(userId) === 'offline'));
    const items = users.map((userId) => {
      const status = statuses.get(userId);
      return status ? presenceOf(userId, status, lastSeen.get(userId) ?? null) : hiddenPresence(userId);
    });
    return { items, nextCursor: null };
  }
}
