import { Command } from '@nestjs/cqrs';
import type { DeleteMessagePayload, Message } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** Deletes for everyone: the message keeps its seq and loses its content. Its author or an admin of the group. */
export class DeleteMessage extends Command<Message> {
  constructor(
    readonly actor: Actor,
    readonly payload: DeleteMessagePayload,
  ) {
    super();
  }
}
