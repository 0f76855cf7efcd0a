/** What became of one attempt to handle an event. */
export const HANDLER_OUTCOMES = ['handled', 'failed', 'dead_lettered'] as const;
export type HandlerOutcome = (typeof HANDLER_OUTCOMES)[number];

/** What the durable event handlers tell about themselves. Returns at once and never throws, whatever it is told. */
export abstract class HandlerMetrics {
  abstract handlerAttempt(handler: string, outcome: HandlerOutcome): void;
  /** Records that are decided and that the handler has not come to, and events that it holds back, in this process. */
  abstract handlerBacklog(handler: string, lagRecords: number, heldEvents: number): void;
}

/** Forgets everything it is told. */
export class NoHandlerMetrics extends HandlerMetrics {
  override handlerAttempt(): void {}
  override handlerBacklog(): void {}
}
