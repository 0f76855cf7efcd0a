import { BatchCommit, type CommitResult, type DecidedBatch, DataRefused } from '@parley/domain';
import pg from 'pg';
import {
  conversationsFragment,
  deadLettersFragment,
  journalFragment,
  membersFragment,
  progressFragment,
  receiptsFragment,
} from '../checkpoint/checkpoint-fragments.js';
import { eventStreamFragment } from '../event-stream/event-stream-fragment.js';
import { messagesFragment, sentKeysFragment } from '../message-store/message-fragments.js';
import type { Fragment } from '../sql/fragment.js';
import { statementText, statementValues } from '../sql/fragment.js';
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

  override commit(batch: DecidedBatch): Promise<CommitResult> {
    return this.commits.run(() => this.commitAndTell(batch));
  }

  private async commitAndTell(batch: DecidedBatch): Promise<CommitResult> {
    const { text, values, name } = commitStatement(batch);
    try {
      await this.connection.query({ name, text, values });
    } catch (error) {
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

function commitStatement(batch: DecidedBatch): { name: string; text: string; values: Buffer[] } {
  const { checkpoint, messages } = batch;
  const sends = messages.flatMap((write) => write.send ?? []);
  const parts: [rows: readonly unknown[], make: () => Fragment][] = [
    [checkpoint.partitions, () => progressFragment(checkpoint.partitions)],
    [batch.journal, () => journalFragment(batch.journal)],
    [messages, () => messagesFragment(messages)],
    [sends, () => sentKeysFragment(sends)],
    [batch.stream, () => eventStreamFragment(batch.stream)],
    [checkpoint.conversations, () => conversationsFragment(checkpoint.conversations)],
    [checkpoint.members, () => membersFragment(checkpoint.members)],
    [checkpoint.receipts, () => receiptsFragment(checkpoint.receipts)],
    [checkpoint.deadLetters, () => deadLettersFragment(checkpoint.deadLetters)],
  ];
  const fragments = parts.filter(([rows]) => rows.length > 0).map(([, make]) => make());
  // The text depends only on which parts there are, so that is the name of the prepared statement.
  const shape = parts.map(([rows]) => (rows.length > 0 ? '1' : '0')).join('');
  const values = statementValues(fragments);
  let text = texts.get(shape);
  if (text === undefined) texts.set(shape, (text = commitText(fragments, values.length, sends.length > 0)));
  values.push(int8Bytes(checkpoint.partitions.length));
  if (sends.length > 0) values.push(int8Bytes(sends.length));
  return { name: `commit_${shape}`, text, values };
}

/** By shape; there are a few dozen at most. */
const texts = new Map<string, string>();

/** @param parameters how many the fragments use; the counts of partitions and sends come after them */
function commitText(fragments: readonly Fragment[], parameters: number, withSends: boolean): string {
  const checks = [refuseUnless('advanced', parameters + 1, 'fenced')];
  if (withSends) checks.push(refuseUnless('sent_keys', parameters + 2, 'duplicate-sends'));
  return statementText(fragments, `SELECT ${checks.join(', ')}`);
}

function refuseUnless(cte: string, countParameter: number, reason: string): string {
  return `CASE WHEN (SELECT count(*) FROM ${cte}) <> $${countParameter}::bigint THEN parley_refuse('${reason}') END`;
}

function int8Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
