import { randomUUID } from 'node:crypto';
import { type Outcome, Replies, type Reply, ReplyExpectations } from '@parley/domain';

/** The processes (or, in tests, the instances) that can answer each other. */
export class MemoryRepliesHub {
  readonly members = new Map<string, ReplyExpectations>();
}

/** Replies inside one process. */
export class MemoryReplies extends Replies {
  override readonly processId = randomUUID();
  private readonly expectations = new ReplyExpectations();

  constructor(private readonly hub = new MemoryRepliesHub()) {
    super();
    hub.members.set(this.processId, this.expectations);
  }

  override expect(commandId: string, timeoutMs: number, onLate?: (outcome: Outcome) => void): Promise<Outcome | null> {
    return this.expectations.expect(commandId, timeoutMs, onLate);
  }

  override cancel(commandId: string): void {
    this.expectations.cancel(commandId);
  }

  override send(processId: string, replies: readonly Reply[]): void {
    this.hub.members.get(processId)?.receive(replies);
  }

  /** Commands that are waited for now. */
  get waiting(): number {
    return this.expectations.waiting;
  }

  /** Everybody who still waits is told that no outcome came. */
  close(): void {
    this.hub.members.delete(this.processId);
    this.expectations.close();
  }
}
