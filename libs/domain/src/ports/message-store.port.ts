import type { Message } from '@parley/contracts';
import type { MessageFacts } from '../conversation/commands/conversation-command.js';
import type { PriorSend } from '../conversation/conversation.state.js';

/** The key under which a repeated send finds the first one. */
export interface SendKey {
  conversationId: string;
  senderId: string;
  clientMsgId: string;
}

export interface SendRow extends SendKey, PriorSend {}

export interface MessageWrite {
  /** The whole message as it is after its latest change. */
  message: Message;
  /** Present on the write that makes the message: it also keeps the deduplication key. */
  send: SendRow | null;
}

export interface SeqRange {
  /** First and last seq that may be shown, inclusive: from the member's join to the read model's `lastSeq`. */
  fromSeq: number;
  toSeq: number;
}

export interface MessageRead {
  conversationId: string;
  range: SeqRange;
  order: 'oldest-first' | 'newest-first';
  /** 1 to a few hundred. */
  limit: number;
  /** What the `textBytes` of the page add up to at most; a first message that is larger comes alone. */
  bytesMax: number;
}

export interface ChangesRead {
  conversationId: string;
  afterRev: number;
  range: SeqRange;
  /** 1 to a few hundred. */
  limit: number;
  /** What the `textBytes` of the page add up to at most; a first message that is larger comes alone. */
  bytesMax: number;
}

export interface ChangesPage {
  messages: Message[];
  /** There are others after these. */
  more: boolean;
}

/** A message's unchanging facts, and what a command's side wants to know before it journals a change. */
export interface LocatedMessage extends MessageFacts {
  deleted: boolean;
}

/**
 * Messages, for ever, each conversation by seq; and the keys of sends for at least 30 days.
 *
 * Writing is idempotent and ordered by `rev`: a write with an older or equal rev changes nothing, so a late writer
 * cannot undo a newer edit. A read shows every write that was acknowledged before it began.
 *
 * A page holds the next messages in its order without a hole: as many as `limit` and `bytesMax` allow, and the first one
 * whatever its size. Messages beyond it are not brought here, so a page costs no more memory than it was given.
 */
export abstract class MessageStore {
  abstract append(writes: readonly MessageWrite[]): Promise<void>;
  /**
   * The next messages of the range. Fewer than `limit` do not say that the range ends there: only an empty answer does,
   * or the seq of the last one. The list may be one that was answered before, so it is not to be changed.
   */
  abstract read(request: MessageRead): Promise<readonly Message[]>;
  /** Those of the ids that exist in this conversation, in no particular order. */
  abstract find(conversationId: string, messageIds: readonly string[]): Promise<Message[]>;
  abstract locate(conversationId: string, messageId: string): Promise<LocatedMessage | null>;
  /** In which conversation a message is; only for a device that acks without naming it. */
  abstract conversationOf(messageId: string): Promise<string | null>;
  /** The next messages of the range, by rev, that were changed after they were sent and have a `rev` above `afterRev`. */
  abstract changes(request: ChangesRead): Promise<ChangesPage>;
  /** Earlier sends under these keys, whatever their age. */
  abstract findSends(keys: readonly SendKey[]): Promise<SendRow[]>;

  /**
   * Tells, each time, that a part of the store is back, and since when it was away (milliseconds since the epoch): what
   * it had acknowledged shortly before that may be missing. Null where an acknowledgement outlasts every crash.
   */
  onNodeReturned(_listener: (awaySinceMs: number) => void): (() => void) | null {
    return null;
  }

  /**
   * Names the run that the store is in: another one as soon as any part of it has started anew, however it had ended.
   * Null while a part of it is away, and for a store whose acknowledgements outlast every crash.
   */
  async currentRun(): Promise<string | null> {
    return null;
  }

  /** Of these partitions, those that were marked in this run: all that is acknowledged of them is there. */
  async wholeIn(_run: string, _partitions: readonly number[]): Promise<ReadonlySet<number>> {
    return new Set();
  }

  /** All that was acknowledged of these partitions is there, as of this run. Replaces what was said of earlier ones. */
  async markWhole(_run: string, _partitions: readonly number[]): Promise<void> {}
}
