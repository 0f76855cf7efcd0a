import { Command } from '@nestjs/cqrs';
import type { AckPayload } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** A device has this message and all before it. Folded; answers the place, without waiting for the commit. */
export class AcknowledgeDelivery extends Command<{ conversationId: string; seq: number }> {
  constructor(
    readonly actor: Actor,
    readonly payload: AckPayload,
    /** The message's place, where the gateway knows it (it sent it); looked up otherwise. */
    readonly known: { conversationId: string; seq: number } | null,
  ) {
    super();
  }
}
