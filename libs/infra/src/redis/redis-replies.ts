import { randomUUID } from 'node:crypto';
import { type Outcome, Replies, type Reply, ReplyExpectations } from '@parley/domain';
import type { RedisLine } from './redis-line.js';

/** Replies over Redis: each process listens to a channel of its own. */
export class RedisReplies extends Replies {
  override readonly processId = randomUUID();
  private readonly expectations = new ReplyExpectations();
  private lost = 0;

  constructor(private readonly line: RedisLine) {
    super();
    void line.subscribe(this.channelOf(this.processId), (message) => {
      this.expectations.receive(JSON.parse(message.toString()) as Reply[]);
    });
  }

  /** Batches of replies that could not be sent. */
  get lostBatches(): number {
    return this.lost;
  }

  override expect(commandId: string, timeoutMs: number, onLate?: (outcome: Outcome) => void): Promise<Outcome | null> {
    return this.expectations.expect(commandId, timeoutMs, onLate);
  }

  override cancel(commandId: string): void {
    this.expectations.cancel(commandId);
  }

  override send(processId: string, replies: readonly Reply[]): void {
    if (processId === this.processId) this.expectations.receive(replies);
    else this.line.publish(this.channelOf(processId), JSON.stringify(replies)).catch(() => void this.lost++);
  }

  /** Everybody who still waits is told that no outcome came. */
  close(): void {
    this.line.unsubscribe(this.channelOf(this.processId));
    this.expectations.close();
  }

  private channelOf(processId: string): string {
    return `${this.line.prefix}replies#${processId}`;
  }
}
