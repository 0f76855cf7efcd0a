import { Command } from '@nestjs/cqrs';
import type { ChangeSettingsBody, Settings } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** The actor's own view of a conversation: muted, pinned, archived. */
export class ChangeSettings extends Command<Settings> {
  constructor(
    readonly actor: Actor,
    readonly conversationId: string,
    readonly body: ChangeSettingsBody,
  ) {
    super();
  }
}
