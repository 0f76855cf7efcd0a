import { Command } from '@nestjs/cqrs';
import type { Conversation, CreateConversationBody } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** Makes a conversation, or finds the one of this pair (direct) or of this clientRequestId (group). */
export class CreateConversation extends Command<{ conversation: Conversation; created: boolean }> {
  constructor(
    readonly actor: Actor,
    readonly body: CreateConversationBody,
  ) {
    super();
  }
}
