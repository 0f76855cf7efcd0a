import { isExpired } from '../conversation/conversation.rules.js';
import { BatchCommit, type CommitResult, type DecidedBatch } from '../ports/batch-commit.port.js';
import type { Checkpoint } from '../ports/checkpoint.port.js';
import type { EventStream } from '../ports/event-stream.port.js';
import type { MessageStore, SendRow } from '../ports/message-store.port.js';
import { sendKey } from './batch-builder.js';
import { refuseUnstorable } from './storable-batch.js';

export interface CommitStages {
  store: MessageStore;
  stream: EventStream;
  checkpoint: Checkpoint;
}

/**
 * The commit where the stores are not one database: messages and events first, which may come twice, then the
 * checkpoint, which is fenced and makes the batch final. A crash in between leaves rows that the next owner, deciding the
 * same records, writes again byte for byte.
 *
 * For logs whose records are durable when they are appended: nothing here journals them.
 */
export class StagedBatchCommit extends BatchCommit {
  constructor(private readonly stages: CommitStages) {
    super();
  }

  /**
   * @throws DataRefused before anything is written; or what a store throws: then messages and events may be there, and
   * running the batch again writes the same
   */
  override async commit(batch: DecidedBatch, onHandedOver?: () => void): Promise<CommitResult> {
    if (batch.journal.length > 0) {
      throw new Error('A log that becomes durable with the commit needs a commit that journals its records.');
    }
    refuseUnstorable(batch);
    const finding = this.findsEarlierSends(batch);
    // From here on this process mostly waits, and what the batch before came to can be published.
    onHandedOver?.();
    if (await finding) return 'duplicate-sends';
    await this.append(batch);
    return this.stages.checkpoint.commit(batch.checkpoint);
  }

  /**
   * Whether a send of the batch repeats one that was stored before it. A row with the same message id is what a crashed
   * run of this very batch left; one with a greater id is of a later record, which a replay comes to again.
   */
  private async findsEarlierSends({ messages }: DecidedBatch): Promise<boolean> {
    const sends = new Map<string, SendRow>();
    for (const { send } of messages) {
      if (send) sends.set(sendKey(send.conversationId, send.senderId, send.clientMsgId), send);
    }
    if (sends.size === 0) return false;
    const known = await this.stages.store.findSends([...sends.values()]);
    return known.some((row) => {
      const send = sends.get(sendKey(row.conversationId, row.senderId, row.clientMsgId));
      return send !== undefined && BigInt(row.messageId) < BigInt(send.messageId) && !isExpired(row, send.at);
    });
  }

  /** Waits for both also when one fails: nothing of this batch is to arrive after it was begun again. */
  private async append({ messages, stream }: DecidedBatch): Promise<void> {
    const done = await Promise.allSettled([this.stages.store.append(messages), this.stages.stream.append(stream)]);
    for (const each of done) if (each.status === 'rejected') throw each.reason;
  }
}
