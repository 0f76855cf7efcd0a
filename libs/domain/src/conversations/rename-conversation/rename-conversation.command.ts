import { Command } from '@nestjs/cqrs';
import type { Conversation } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** Names a group; admins only. */
export class RenameConversation extends Command<Conversation> {
  constructor(
    readonly actor: Actor,
    readonly conversationId: string,
    readonly name: string,
  ) {
    super();
  }
}
