import type { CommandRecord } from '../conversation/commands/command-record.js';

/** A record with its place. `record` is null when the payload could not be read; the owner dead-letters it. */
export interface LogRecord {
  partition: number;
  offset: number;
  /** Append time of the log, or the reader's stamp that is journaled with the record; milliseconds, never going back. */
  at: number;
  payload: string;
  record: CommandRecord | null;
}

export type Positions = ReadonlyMap<number, number>;

/**
 * The log of commands, partitioned by conversation: the only place where something is decided to exist.
 *
 * Guarantees: records of a partition are read in the order in which they were appended, under consecutive offsets, and
 * reading an offset again gives the same record with the same time.
 */
export abstract class CommandLog {
  /** Fixed for life. */
  abstract readonly partitions: number;

  /**
   * `append`: a record is durable once `append` resolves, so a slow decision may be answered `accepted`.
   * `commit`: it is durable only with the batch that decides it (the owner is in the same process).
   */
  abstract readonly durableAt: 'append' | 'commit';

  /**
   * Appends records of one conversation or of several, in order.
   * @throws DomainError `overloaded` when the bound of waiting records is reached, `store_unavailable` when the log
   * cannot take them: then none is in the log, or the sender may safely append the same clientMsgId again.
   */
  abstract append(records: readonly CommandRecord[]): Promise<void>;

  /** Takes a record back that nobody has read yet. False when it may still be decided. */
  abstract withdraw(commandId: string): boolean;

  /**
   * Records at and after `from` (partition → offset), at most `recordsMax`, oldest first in each partition. Waits up to
   * `waitMs` for the first one; an empty answer means that none came.
   */
  abstract read(from: Positions, recordsMax: number, waitMs: number): Promise<LogRecord[]>;

  /** Records below these offsets are decided for good; whatever was kept to read them again may go. */
  abstract committed(positions: Positions): void;

  /** Records that wait to be read. */
  abstract lag(): number;
}
