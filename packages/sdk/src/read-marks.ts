import { backOffMs, type Clock } from './clock.js';
import { toParleyError } from './errors.js';
import { compareMessageIds } from './message-ids.js';
import type { ReadMark } from './wire.js';

interface ReadMarksDoor {
  readonly clock: Clock;
  readonly random: () => number;
  isConnected(): boolean;
  send(conversationId: string, lastReadMessageId: string): Promise<ReadMark>;
  marked(conversationId: string, mark: ReadMark): void;
}

/** The caller's own reading, told to the server as soon as it can be; of each conversation only the latest. */
export class ReadMarks {
  private readonly due = new Map<string, string>();
  private readonly underWay = new Set<string>();
  private readonly retries = new Map<string, () => void>();

  constructor(private readonly door: ReadMarksDoor) {}

  /** What the server has not confirmed yet, by conversation. */
  get pending(): [string, string][] {
    return [...this.due];
  }

  read(conversationId: string, messageId: string): void {
    const before = this.due.get(conversationId);
    if (before !== undefined && compareMessageIds(messageId, before) <= 0) return;
    this.due.set(conversationId, messageId);
    void this.flush(conversationId);
  }

  reconnected(): void {
    for (const conversationId of this.due.keys()) void this.flush(conversationId);
  }

  forget(conversationId: string): void {
    this.due.delete(conversationId);
    this.retries.get(conversationId)?.();
    this.retries.delete(conversationId);
  }

  stop(): void {
    this.due.clear();
    for (const cancel of this.retries.values()) cancel();
  }

  private async flush(conversationId: string): Promise<void> {
    if (this.underWay.has(conversationId)) return;
    this.underWay.add(conversationId);
    try {
      for (let id = this.due.get(conversationId); id !== undefined && this.door.isConnected();) {
        this.door.marked(conversationId, await this.door.send(conversationId, id));
        if (this.due.get(conversationId) === id) this.due.delete(conversationId);
        id = this.due.get(conversationId);
      }
    } catch (cause) {
      const { retryable } = toParleyError(cause);
      if (!retryable) this.due.delete(conversationId);
      else if (this.door.isConnected()) this.retryLater(conversationId);
    } finally {
      this.underWay.delete(conversationId);
    }
  }

  private retryLater(conversationId: string): void {
    this.retries.get(conversationId)?.();
    const waitMs = backOffMs(1, 1_000, 10_000, this.door.random);
    this.retries.set(
      conversationId,
      this.door.clock.after(waitMs, () => void this.flush(conversationId)),
    );
  }
}
