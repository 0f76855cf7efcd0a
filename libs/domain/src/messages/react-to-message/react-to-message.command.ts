import { Command } from '@nestjs/cqrs';
import type { Message, ReactPayload } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** Adds (`present`) or takes back one emoji of the actor. */
export class ReactToMessage extends Command<Message> {
  constructor(
    readonly actor: Actor,
    readonly payload: ReactPayload,
    readonly present: boolean,
  ) {
    super();
  }
}
