import { Query } from '@nestjs/cqrs';
import type { SyncAnswer, SyncPayload } from '@parley/contracts';

/** What changed for a user since a position, and the messages behind the given cursors. */
export class SyncConversations extends Query<SyncAnswer> {
  constructor(
    readonly userId: string,
    readonly payload: SyncPayload,
  ) {
    super();
  }
}
