import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import type { StreamPosition } from '../ports/event-stream.port.js';

/** What a handler is given beside the event. */
export interface EventDelivery {
  /** `partition:offset:index`, the same at every attempt: what makes an effect idempotent. */
  eventId: string;
  place: StreamPosition & { partition: number };
  /** 1 at first. Attempts before the process's last crash may not be counted. */
  attempt: number;
  /** Aborted when the time is over, or when the process stops or has lost the partition. */
  signal: AbortSignal;
}

/**
 * A named consumer of the event stream, with its own progress.
 *
 * Each event comes at least once: again after a crash, a lost lease, or a failure. Events of a conversation come in their
 * order, one after another; those of several at the same time. An event whose handling throws, or takes too long, is tried
 * again with growing pauses, and the later ones of its conversation wait behind it; at the end it goes to the dead letters
 * and they go on. Other conversations do not wait.
 */
export abstract class DurableEventHandler {
  /** Names the progress; unique, and never changed while it is to go on. 1 to 64 of `a-z`, `0-9`, `-`. */
  abstract readonly name: string;
  /** Other events are passed over. */
  abstract readonly appliesTo: readonly ConversationEvent['type'][];
  /** Where a name that was never seen before begins. */
  readonly begin: 'now' | 'beginning' = 'now';
  /** Conversations that this process handles at the same time. */
  readonly concurrencyMax: number = 8;
  /** Attempts before an event is given up. */
  readonly attemptsMax: number = 10;
  /** Before the second attempt; doubled for each further one, up to `RETRY_PAUSE_MS_MAX`, less up to half of it at random. */
  readonly retryPauseMs: number = 1_000;
  /** An attempt that takes longer counts as failed, whatever becomes of it. */
  readonly attemptMsMax: number = 30_000;

  /** Resolves when the effect is lasting. @throws anything: it is tried again */
  abstract handle(event: ConversationEvent, delivery: EventDelivery): Promise<void>;

  /**
   * True while no event could have any effect: what is in the stream by now is passed over unread. Asked about each
   * second, so it answers fast; one that takes longer than `attemptMsMax` holds the handler up and is asked again.
   */
  hasNothingToDo(): boolean | Promise<boolean> {
    return false;
  }
}

export const RETRY_PAUSE_MS_MAX = 5 * 60_000;

/** The pause before the next attempt: doubled each time, spread over its upper half so that failures do not return together. */
export function retryPauseMs(firstMs: number, attempts: number, random: number = Math.random()): number {
  const full = Math.min(firstMs * 2 ** Math.min(attempts - 1, 30), RETRY_PAUSE_MS_MAX);
  return Math.round(full * (0.5 + random / 2));
}
