import { Injectable } from '@nestjs/common';
import type { DurableEventHandler } from './durable-event-handler.js';

const NAME = /^[a-z0-9-]{1,64}$/;

/** The durable event handlers of this process. */
@Injectable()
export class EventHandlerRegistry {
  private readonly byName = new Map<string, DurableEventHandler>();

  /** @throws Error when the name is taken, or is none: two handlers would share one progress */
  add(handler: DurableEventHandler): void {
    if (!NAME.test(handler.name)) throw new Error(`"${handler.name}" names no event handler: 1 to 64 of a-z 0-9 -`);
    if (this.byName.has(handler.name)) throw new Error(`Two event handlers are called "${handler.name}"`);
    this.byName.set(handler.name, handler);
  }

  all(): DurableEventHandler[] {
    return [...this.byName.values()];
  }
}
