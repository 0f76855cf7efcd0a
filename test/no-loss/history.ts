import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';

/** A message as somebody saw it. */
export interface SeenMessage {
  readonly seq: number;
  readonly messageId: string;
  readonly senderId: string;
  readonly clientMsgId: string;
  /** Of its content. */
  readonly hash: string;
}

interface SendKey {
  readonly conversation: string;
  readonly user: string;
  readonly clientMsgId: string;
}

interface Place {
  readonly conversation: string;
  readonly user: string;
}

/** What a client did or saw, what was done to the server, and at the end what the stores hold. */
export type Happening =
  | ({ type: 'invoke'; hash: string } & SendKey)
  /** `duplicate` is null where it was not said: an `ack` that came later says only how it ended. */
  | ({ type: 'stored'; seq: number; messageId: string; duplicate: boolean | null } & SendKey)
  /** It will be there, unless an `ack` says that it was rejected. */
  | ({ type: 'accepted' } & SendKey)
  /** A time-out, a disconnect, a 5xx: it may have happened. */
  | ({ type: 'unknown'; reason: string } & SendKey)
  /** For good if it is final: it must never have happened. Else it says nothing about earlier tries of the same send. */
  | ({ type: 'rejected'; code: string; isFinal: boolean } & SendKey)
  | ({ type: 'edit'; seq: number; hash: string } & Place)
  /** The device learned that it belongs here, from this seq on. */
  | ({ type: 'joined'; device: string; visibleFromSeq: number } & Place)
  /** The device learned that it does not belong here any more; by a sync, what was sent before may still be on its way. */
  | ({ type: 'left'; device: string; bySync?: boolean } & Place)
  /** Somebody begins to remove the member; from here on it may be gone. */
  | ({ type: 'removing' } & Place)
  /** A removal was answered; the conversation was at this seq by then. */
  | ({ type: 'removed'; lastSeq: number } & Place)
  /** Somebody begins to bring the member back; from here on it may be there again. */
  | ({ type: 'returning' } & Place)
  /** The member is back, and sees the conversation from this seq on. */
  | ({ type: 'returned'; visibleFromSeq: number } & Place)
  /** The device was told live of a change that is no new message. */
  | ({ type: 'told'; device: string; rev: number } & Place)
  | ({ type: 'arrival'; device: string; message: SeenMessage } & Place)
  /** Handed to the application: once, in order. */
  | ({ type: 'delivery'; device: string; message: SeenMessage } & Place)
  | ({ type: 'gap-filled'; device: string; messages: number } & Place)
  | ({ type: 'ask'; id: number } & Place)
  | ({
      type: 'page';
      id: number;
      order: 'newest-first' | 'oldest-first';
      /** The page lies beside this seq; null: at the newest end. */
      beside: number | null;
      limit: number;
      visibleFromSeq: number;
      hasMore: boolean;
      messages: readonly SeenMessage[];
    } & Place)
  | ({ type: 'view'; id: number; lastSeq: number; lastReadSeq: number; unreadCount: number } & Place)
  | ({ type: 'read'; lastReadSeq: number } & Place)
  /** A receipt as a device heard of it; `user` is whose mark moved. */
  | ({ type: 'mark'; device: string; kind: 'read' | 'delivered'; messageId: string } & Place)
  | { type: 'fault'; name: string; phase: 'begin' | 'effect' | 'end' }
  | ({ type: 'row'; conversation: string; rev: number } & SeenMessage)
  | { type: 'head'; conversation: string; lastSeq: number; lastRev: number }
  | {
      type: 'event';
      conversation: string;
      rev: number;
      seq?: number;
      hash?: string;
      added?: readonly string[];
      removed?: readonly string[];
    }
  | ({ type: 'final-mark'; readSeq: number } & Place);

/** `at`: milliseconds on one monotonic clock. */
export type HistoryEvent = Happening & { readonly at: number };

export function contentHash(content: string): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 16);
}

/** Keeps what happened in its order, and writes it down as JSON lines when it is given a file. */
export class HistoryRecorder {
  readonly events: HistoryEvent[] = [];
  private asks = 0;

  constructor(private readonly file?: string) {}

  record(happening: Happening): void {
    const event = { ...happening, at: performance.now() };
    this.events.push(event);
    if (this.file !== undefined) appendFileSync(this.file, `${JSON.stringify(event)}\n`);
  }

  /** A question whose answer is recorded under this id: what it may say depends on what was known when it was asked. */
  ask(user: string, conversation: string): number {
    const id = ++this.asks;
    this.record({ type: 'ask', id, user, conversation });
    return id;
  }
}
