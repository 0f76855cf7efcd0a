import type { ErrorCode } from '@parley/contracts';

/** What a partition's owner is doing: taking the lease and reading its progress, deciding, waiting after a failure, or gone. */
export const PARTITION_OWNER_STATES = ['starting', 'owning', 'backing_off', 'stopped'] as const;
export type PartitionOwnerState = (typeof PARTITION_OWNER_STATES)[number];

/**
 * What the pipeline tells about itself. It is called for each message at thousands a second, so every method takes plain
 * values, returns at once (well under a microsecond), allocates nothing that stays and never throws, whatever it is told.
 */
export abstract class PipelineMetrics {
  /** One group commit ended well: how many log records it held, and how long the transaction took. */
  abstract batchCommitted(records: number, durationMs: number): void;

  /** So many new messages became lasting; repeats of a clientMsgId do not count. */
  abstract messagesSent(count: number): void;

  /** One message was written to one socket: the time since its command arrived. */
  abstract messageDelivered(latencyMs: number): void;

  /** So many messages were written to sockets, the first time or (`resent`) again because nobody acked them. */
  abstract liveDeliveries(count: number, resent: boolean): void;

  /** So many records were set aside because they could not be read or decided. */
  abstract deadLettered(count: number): void;

  /** A command was refused at its side or by the decider. */
  abstract commandRefused(code: ErrorCode): void;

  /** So many messages were appended to the message store again, because a part of it may have lost them. */
  abstract messagesReappended(count: number): void;

  /** The partition's owner in this process changed its state. */
  abstract partitionOwnerState(partition: number, state: PartitionOwnerState): void;
}

/** Forgets everything it is told. */
export class NoPipelineMetrics extends PipelineMetrics {
  override batchCommitted(): void {}
  override messagesSent(): void {}
  override messageDelivered(): void {}
  override liveDeliveries(): void {}
  override deadLettered(): void {}
  override commandRefused(): void {}
  override messagesReappended(): void {}
  override partitionOwnerState(): void {}
}
