import { Command } from '@nestjs/cqrs';
import type { MarkReadPayload, ReadMark } from '@parley/contracts';
import type { Actor } from '../../actor.js';

/** Moves the actor's read mark, forward only. */
export class MarkRead extends Command<ReadMark> {
  constructor(
    readonly actor: Actor,
    readonly payload: MarkReadPayload,
  ) {
    super();
  }
}
