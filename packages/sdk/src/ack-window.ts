import type { Clock } from './clock.js';
import { compareMessageIds, covers, laterMark } from './message-ids.js';

export const ACK_WINDOW_MS = 200;
/** A socket may send 50 events a second; acks take at most half of that. */
const ACKS_PER_WINDOW_MAX = 5;

/** Tells the server what has arrived without a gap: the latest of each conversation, every 200 ms. */
export class AckWindow {
  private readonly due = new Map<string, string>();
  private readonly sent = new Map<string, string>();
  /** The latest that came over the open connection: the server waits for its acknowledgement from this device. */
  private readonly live = new Map<string, string>();
  private cancel: (() => void) | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly send: (conversationId: string, messageId: string) => Promise<void>,
  ) {}

  /** The server sent it to this device, and would send it again. */
  told(conversationId: string, messageId: string): void {
    this.live.set(conversationId, laterMark(this.live.get(conversationId) ?? null, messageId) ?? messageId);
  }

  liveOf(conversationId: string): string | undefined {
    return this.live.get(conversationId);
  }

  /** @param isMarked another device has told the server already: without a live message this one need not */
  arrived(conversationId: string, messageId: string, isMarked: boolean): void {
    if (isMarked && !covers(this.live.get(conversationId) ?? null, messageId)) return;
    const last = this.due.get(conversationId) ?? this.sent.get(conversationId);
    if (last !== undefined && compareMessageIds(messageId, last) <= 0) return;
    this.due.set(conversationId, messageId);
    this.schedule();
  }

  forget(conversationId: string): void {
    this.due.delete(conversationId);
    this.sent.delete(conversationId);
    this.live.delete(conversationId);
  }

  /** What could not be sent is sent now. */
  reconnected(): void {
    this.live.clear();
    if (this.due.size > 0) this.schedule();
  }

  stop(): void {
    this.cancel?.();
    this.due.clear();
  }

  private schedule(): void {
    this.cancel ??= this.clock.after(ACK_WINDOW_MS, () => {
      this.cancel = null;
      this.flush();
    });
  }

  private flush(): void {
    const some = [...this.due].slice(0, ACKS_PER_WINDOW_MAX);
    for (const [conversationId, messageId] of some) {
      this.due.delete(conversationId);
      this.sent.set(conversationId, messageId);
      this.send(conversationId, messageId).catch(() => this.failed(conversationId, messageId));
    }
    if (this.due.size > 0) this.schedule();
  }

  private failed(conversationId: string, messageId: string): void {
    if (this.sent.get(conversationId) !== messageId) return;
    this.sent.delete(conversationId);
    // Waits for the next arrival or connection: an ack by itself is not worth a retry.
    if (!this.due.has(conversationId)) this.due.set(conversationId, messageId);
  }
}
