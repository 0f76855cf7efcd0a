import { BatchCommit, type CommitResult, type DecidedBatch, DataRefused } from '@parley/domain';
import pg from 'pg';
import { checkpointParts, JOURNALED } from '../checkpoint/checkpoint-fragments.js';
import { STREAMED } from '../event-stream/event-stream-fragment.js';
import { MESSAGES, SENT_KEYS } from '../message-store/message-fragments.js';
import { type Part, partOf, statementText } from '../sql/fragment.js';
import type { ParameterWriter } from '../sql/parameter-writer.js';
import { type BinaryStatement, UnwritableParameter } from './binary-query.js';
import type { CommitConnection } from './commit-connection.js';
import { CommitsUnderWay } from './commits-under-way.js';

/** Raised by `parley_refuse`: the statement took no effect, and its message says why. */
const REFUSED = 'PY001';
/** Data that can never be stored (class 22), or that breaks a constraint (class 23). */
const DATA_ERROR = /^2[23]/;

type CommittedListener = (batch: DecidedBatch) => void;

/**
 * Journal, messages, deduplication keys, stream, read models and progress as one statement on one connection: one
 * round trip and one commit for a batch of all partitions. Two commits were measured at twice the latency, a
 * transaction for each partition worse still.
 */
export class PostgresBatchCommit extends BatchCommit {
  private readonly listeners: CommittedListener[] = [];
  private readonly uncertain: (() => void)[] = [];

  /** @param commits what readers of this process wait for */
  constructor(
    private readonly connection: CommitConnection,
    private readonly commits: CommitsUnderWay = new CommitsUnderWay(),
  ) {
    super();
  }

  /** Called with each batch that is in, before anybody is told: what keeps caches in this process right. */
  onCommitted(listener: CommittedListener): void {
    this.listeners.push(listener);
  }

  /** Called when the end of a commit is unknown: caches that follow `onCommitted` must be dropped. */
  onUncertain(listener: () => void): void {
    this.uncertain.push(listener);
  }

  override commit(batch: DecidedBatch, onHandedOver?: () => void): Promise<CommitResult> {
    return this.commits.run(() => this.commitAndTell(batch, onHandedOver));
  }

  private async commitAndTell(batch: DecidedBatch, onHandedOver?: () => void): Promise<CommitResult> {
    try {
      await this.connection.execute(commitStatement(batch), onHandedOver);
    } catch (error) {
      if (error instanceof UnwritableParameter) throw new DataRefused(error);
      if (error instanceof pg.DatabaseError) {
        if (error.code === REFUSED) return error.message === 'fenced' ? 'fenced' : 'duplicate-sends';
        if (error.code !== undefined && DATA_ERROR.test(error.code)) throw new DataRefused(error);
      }
      for (const listener of this.uncertain) listener();
      throw error;
    }
    for (const listener of this.listeners) listener(batch);
    return 'committed';
  }
}

/** What is in a batch, in the order of its parameters. */
function partsOf({ checkpoint, messages, journal, stream }: DecidedBatch): { parts: Part[]; sends: number } {
  const sends = messages.flatMap((write) => write.send ?? []);
  const parts = [
    ...checkpointParts(checkpoint),
    partOf(JOURNALED, journal),
    partOf(MESSAGES, messages),
    partOf(SENT_KEYS, sends),
    partOf(STREAMED, stream),
  ];
  return { parts, sends: sends.length };
}

function commitStatement(batch: DecidedBatch): BinaryStatement {
  const { parts, sends } = partsOf(batch);
  const used = parts.filter(({ rows }) => rows > 0);
  // The text depends only on which parts there are, so that is the name of the prepared statement.
  const shape = parts.map(({ rows }) => (rows > 0 ? '1' : '0')).join('');
  const before = used.reduce((sum, part) => sum + part.parameters, 0);
  let text = texts.get(shape);
  if (text === undefined) texts.set(shape, (text = commitText(used, before, sends > 0)));
  return {
    name: `commit_${shape}`,
    text,
    parameters: before + (sends > 0 ? 2 : 1),
    write(writer) {
      for (const part of used) part.write(writer);
      writeCount(writer, batch.checkpoint.partitions.length);
      if (sends > 0) writeCount(writer, sends);
    },
  };
}

/** By shape; there are a few dozen at most. */
const texts = new Map<string, string>();

/** @param parameters how many the parts use; the counts of partitions and sends come after them */
function commitText(parts: readonly Part[], parameters: number, withSends: boolean): string {
  const checks = [refuseUnless('advanced', parameters + 1, 'fenced')];
  if (withSends) checks.push(refuseUnless('sent_keys', parameters + 2, 'duplicate-sends'));
  return statementText(parts, `SELECT ${checks.join(', ')}`);
}

function refuseUnless(cte: string, countParameter: number, reason: string): string {
  return `CASE WHEN (SELECT count(*) FROM ${cte}) <> $${countParameter}::bigint THEN parley_refuse('${reason}') END`;
}

function writeCount(writer: ParameterWriter, count: number): void {
  writer.int32(8);
  writer.int64(count);
}
