import { Command } from '@nestjs/cqrs';
import type { Accepted, SendMessagePayload, Stored } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** Sends a message. `stored` is never lost; a repeated clientMsgId gives the first answer with `duplicate`. */
export class SendMessage extends Command<Stored | Accepted> {
  constructor(
    readonly actor: Actor,
    readonly payload: SendMessagePayload,
  ) {
    super();
  }
}
