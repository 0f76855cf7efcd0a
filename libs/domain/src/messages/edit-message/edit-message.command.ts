import { Command } from '@nestjs/cqrs';
import type { EditMessagePayload, Message } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** Changes the content of one's own message; answers the message as stored. */
export class EditMessage extends Command<Message> {
  constructor(
    readonly actor: Actor,
    readonly payload: EditMessagePayload,
  ) {
    super();
  }
}
