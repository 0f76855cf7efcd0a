import type { CheckpointWrite } from './checkpoint.port.js';
import type { StreamedEvent } from './event-stream.port.js';
import type { MessageWrite } from './message-store.port.js';

export interface JournalRow {
  partition: number;
  offset: number;
  at: number;
  payload: string;
}

/** Everything that a batch of records came to. */
export interface DecidedBatch {
  /** The records themselves, for a log that becomes durable with the commit; empty for a log that is durable before. */
  journal: JournalRow[];
  messages: MessageWrite[];
  stream: StreamedEvent[];
  checkpoint: CheckpointWrite;
}

/**
 * `duplicate-sends`: a send of the batch has a deduplication key that is already taken, which the owner did not have in
 * memory; nothing was written. The owner looks the keys up and decides again.
 */
export type CommitResult = 'committed' | 'fenced' | 'duplicate-sends';

/**
 * The pipeline's one write: message rows and stream (idempotent), then the checkpoint; or, where all of it is one
 * database, a single statement. When it throws, the batch may or may not be in: the checkpoint's progress tells.
 */
export abstract class BatchCommit {
  /**
   * @param onHandedOver called when this process has no more to do for the batch than to wait. Until then its owner
   * starts nothing long: a large batch leaves in several turns of the event loop.
   */
  abstract commit(batch: DecidedBatch, onHandedOver?: () => void): Promise<CommitResult>;
}

/** The database refuses the batch for its data (not for its own trouble): trying again would end the same way. */
export class DataRefused extends Error {
  constructor(cause: unknown) {
    super(`the store refuses the data: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
