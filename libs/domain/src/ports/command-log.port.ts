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
 * A log that has lost records: it begins behind the offset that is asked for, or ends before it. To go on from elsewhere
 * would skip commands that were acknowledged, or give decided places away again, so the owner of the partition stops.
 */
export class LogTruncated extends Error {
  constructor(
    readonly partition: number,
    readonly wantedOffset: number,
    /** First offset that is there, and the one that the next record will get. */
    readonly range: { start: number; end: number },
  ) {
    super(
      `partition ${partition} of the command log holds offsets ${range.start} to ${range.end}, ` +
        `and offset ${wantedOffset} is where its owner goes on: the log has lost records`,
    );
    this.name = 'LogTruncated';
  }
}

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
   * `waitMs` for the first one; an empty answer means that none came, or that the log cannot be reached for now.
   * @throws LogTruncated when an offset lies outside of a log that is durable at `append`. A log that is durable at
   * `commit` begins where it is told to, since what it holds is what nobody has committed.
   */
  abstract read(from: Positions, recordsMax: number, waitMs: number): Promise<LogRecord[]>;

  /**
   * Payloads of the records at these places (partition → offset), by which whoever takes partitions over sees that this
   * is still the log whose records were applied. What is no longer kept is left out; a log that is durable at `commit`
   * keeps nothing that is applied.
   * @throws LogTruncated when an offset lies at the log's end or behind it
   * @throws DomainError `store_unavailable` within seconds
   */
  payloadsAt(_places: Positions): Promise<ReadonlyMap<number, string>> {
    return Promise.resolve(new Map());
  }

  /** Records below these offsets are decided for good; whatever was kept to read them again may go. */
  abstract committed(positions: Positions): void;

  /** Records that wait to be read. */
  abstract lag(): number;

  /** Where the partitions that are read end (partition → the offset of the next record), as of the last answers. */
  abstract ends(): Positions;
}
