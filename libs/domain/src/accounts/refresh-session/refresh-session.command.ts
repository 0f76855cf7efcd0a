import type { Session } from '@parley/contracts';
import { Command } from '@nestjs/cqrs';

/** Swaps a refresh token for new tokens of the same session. One that was used before ends the session. */
export class RefreshSession extends Command<Session> {
  constructor(readonly refreshToken: string) {
    super();
  }
}
