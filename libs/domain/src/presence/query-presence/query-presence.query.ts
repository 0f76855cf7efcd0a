import type { Page, Presence } from '@parley/contracts';
import { Query } from '@nestjs/cqrs';

/** What the viewer sees of these users now; each once, in the order in which they are named. */
export class QueryPresence extends Query<Page<Presence>> {
  constructor(
    readonly viewerId: string,
    readonly userIds: readonly string[],
  ) {
    super();
  }
}
