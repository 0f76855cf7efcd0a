import { Command } from '@nestjs/cqrs';
import type { ChangeMembersBody, Conversation } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** Adds, removes and sets roles. Whoever leaves is answered with the conversation as it was for them, without themself. */
export class ChangeMembers extends Command<Conversation> {
  constructor(
    readonly actor: Actor,
    readonly conversationId: string,
    readonly body: ChangeMembersBody,
  ) {
    super();
  }
}
