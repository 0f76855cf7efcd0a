import type { StreamedEvent, StreamPosition } from './event-stream.port.js';
import type { WorkerStanding } from './partition-leases.port.js';

/** A partition that was taken for a handler: where it goes on, and under which ownership. */
export interface HandlerPartition {
  partition: number;
  /** Grows by one at each change of owner. */
  epoch: number;
  /** Everything up to here is handled, held or given up. Null: nothing is. */
  position: StreamPosition | null;
}

/** Which handler's partition, under which ownership. What comes under an older epoch changes nothing. */
export interface HandlerTerm {
  handler: string;
  partition: number;
  epoch: number;
}

/** An event that could not be handled, or that waits behind one of its conversation. */
export interface HeldEvent extends StreamedEvent {
  attempts: number;
  /** Before the next attempt, from now. */
  pauseMs: number;
  /** Given up at once. */
  dead: boolean;
  /** Null for one that only waits. */
  lastError: string | null;
}

export interface DueEvent extends StreamedEvent {
  attempts: number;
  /** Taken back out of the dead letters: nothing waits behind it. */
  late: boolean;
}

export interface HandlerDeadLetter extends StreamedEvent {
  handler: string;
  attempts: number;
  lastError: string | null;
}

/** One handler, as it is written down: of all its partitions together. */
export interface HandlerStanding {
  handler: string;
  /** Processes that hold partitions of it. */
  workers: number;
  /** Decided records behind its positions: at most so many, where the stream is none of this store's. */
  behindRecords: number;
  waitingEvents: number;
  deadEvents: number;
}

export interface DeadLetterPlace extends StreamPosition {
  handler: string;
  partition: number;
}

/** What became of another attempt. */
export type AttemptOutcome = { handled: true } | { handled: false; error: string; pauseMs: number | null };

/** Where `begin: 'now'` stands behind everything of its record. */
export const LAST_INDEX = 2_147_483_647;

/**
 * How far each durable event handler has got in each partition of the event stream, who works on it, and which events
 * wait or were given up. Leases as those of the partition owners, but for each handler.
 */
export abstract class HandlerProgress {
  /** Says that this worker lives for this handler, and where it stands among those that do. */
  abstract attend(handler: string, owner: string): Promise<WorkerStanding>;
  /**
   * Takes partitions that nobody holds, at most `partitionsMax`; with `exclusive` those of a former owner too. A partition
   * that the handler never had begins behind what is decided now, or at the beginning.
   */
  abstract claim(
    handler: string,
    owner: string,
    options: { partitions: readonly number[]; begin: 'now' | 'beginning'; exclusive: boolean; partitionsMax: number },
  ): Promise<HandlerPartition[]>;
  /** Keeps the leases alive; answers the partitions that are still held. */
  abstract renew(handler: string, owner: string): Promise<number[]>;
  abstract release(handler: string, owner: string, partitions: readonly number[]): Promise<void>;
  /** Gives everything up at once and no longer counts as a worker. */
  abstract leave(handler: string, owner: string): Promise<void>;
  /** For each partition the offset before which all records are decided for good, with their read models. */
  abstract settled(): Promise<Map<number, number>>;
  /** Moves the position and holds these events, in one. False: another owner has the partition, nothing was changed. */
  abstract advance(term: HandlerTerm, position: StreamPosition, held: readonly HeldEvent[]): Promise<boolean>;
  /** How many events of each conversation wait. */
  abstract waiting(term: HandlerTerm): Promise<Map<string, number>>;
  /**
   * Of each conversation whose first waiting event is due, that event and those that wait behind it, in their order. At most
   * `limit`, the first ones of all conversations before any second one.
   */
  abstract due(term: HandlerTerm, limit: number): Promise<DueEvent[]>;
  /** `pauseMs: null` gives the event up. False: another owner has the partition. */
  abstract settle(term: HandlerTerm, place: StreamPosition, outcome: AttemptOutcome): Promise<boolean>;
  /** By handler and place; the first `limit` after `after`. */
  abstract deadLetters(
    handler: string | null,
    after: DeadLetterPlace | null,
    limit: number,
  ): Promise<HandlerDeadLetter[]>;
  /** Every handler that ever ran, by name. */
  abstract standings(): Promise<HandlerStanding[]>;
  /** All dead letters of a handler at once: has them tried again, with all their attempts. Answers how many there were. */
  abstract retryDeadLetters(handler: string): Promise<number>;
  /** Forgets all of a handler. Answers how many there were. */
  abstract discardDeadLetters(handler: string): Promise<number>;
  /** Has it tried again, with all its attempts. False when there is no such dead letter. */
  abstract retryDeadLetter(place: DeadLetterPlace): Promise<boolean>;
  /** Forgets it. False when there is no such dead letter. */
  abstract discardDeadLetter(place: DeadLetterPlace): Promise<boolean>;
}
