import { Command } from '@nestjs/cqrs';
import type { TypingPayload } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** Tells the others; never journaled. At most one a second reaches them; ends by itself after 6 s. */
export class SetTyping extends Command<void> {
  constructor(
    readonly actor: Actor,
    readonly payload: TypingPayload,
  ) {
    super();
  }
}
