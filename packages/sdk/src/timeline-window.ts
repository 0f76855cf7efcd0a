import { compareMessageIds } from './message-ids.js';
import type { Message } from './wire.js';

/** Messages that one window holds; beyond them the oldest go, and are loaded again when they are asked for. */
const WINDOW_MESSAGES_MAX = 20_000;

/**
 * The part of a conversation that a client has: messages with consecutive `seq`, each in the latest version it was told.
 * There is no way to put a hole or a repeat into it.
 */
export class TimelineWindow {
  private messages: Message[] = [];
  hasBefore: boolean;
  /** Newer messages exist that are not here: never of the part that live messages are added to. */
  hasAfter: boolean;
  private tail: number;

  /** @param messages oldest first, consecutive; @param tailSeq where the next message follows, if there are none */
  constructor(messages: readonly Message[], hasBefore: boolean, tailSeq: number, hasAfter = false) {
    this.messages = [...messages];
    this.hasBefore = hasBefore;
    this.hasAfter = hasAfter;
    this.tail = messages.at(-1)?.seq ?? tailSeq;
  }

  /** Oldest first. A new array after each change. */
  get items(): readonly Message[] {
    return this.messages;
  }

  get firstSeq(): number {
    return this.messages[0]?.seq ?? this.tail + 1;
  }

  /** The seq of the newest message that is here, with all before it. */
  get tailSeq(): number {
    return this.tail;
  }

  /** The newest message that is somebody else's. */
  lastNotOf(userId: string): Message | undefined {
    for (let i = this.messages.length - 1; i >= 0; i--)
      if (this.messages[i]?.senderId !== userId) return this.messages[i];
    return undefined;
  }

  /** Takes the next message or a newer version of one that is here; false for one that would leave a hole. */
  take(message: Message): boolean {
    if (message.seq > this.tail + 1) return false;
    if (message.seq === this.tail + 1) {
      const from = this.messages.length >= WINDOW_MESSAGES_MAX ? this.messages.length - WINDOW_MESSAGES_MAX + 1 : 0;
      if (from > 0) this.hasBefore = true;
      this.messages = [...(from > 0 ? this.messages.slice(from) : this.messages), message];
      this.tail = message.seq;
    } else {
      this.refresh(message);
    }
    return true;
  }

  /** Takes a newer version of a message that is here, and nothing else. @returns whether it was news */
  refresh(message: Message): boolean {
    const index = message.seq - this.firstSeq;
    const known = this.messages[index];
    if (!known || known.rev >= message.rev) return false;
    this.replace(index, message);
    return true;
  }

  /** Takes the same version of a message that is here, as it is told now: addresses in it run out. */
  renew(message: Message): void {
    const index = message.seq - this.firstSeq;
    if (this.messages[index]?.rev === message.rev) this.replace(index, message);
  }

  private replace(index: number, message: Message): void {
    this.messages = [...this.messages];
    this.messages[index] = message;
  }

  /** Takes older messages, oldest first, that end where the window begins; others are left out. */
  prepend(older: readonly Message[], hasBefore: boolean): void {
    const fitting = older.filter(({ seq }) => seq < this.firstSeq);
    const last = fitting.at(-1);
    if (last && last.seq !== this.firstSeq - 1) return;
    this.messages = [...fitting, ...this.messages];
    this.hasBefore = hasBefore;
    // Only what is not the live end can be let go at its end.
    if (!this.hasAfter || this.messages.length <= WINDOW_MESSAGES_MAX) return;
    this.messages = this.messages.slice(0, WINDOW_MESSAGES_MAX);
    this.tail = this.messages.at(-1)?.seq ?? this.tail;
  }

  /** Takes newer messages, oldest first, that begin where the window ends; others are left out. */
  append(newer: readonly Message[], hasAfter: boolean): void {
    const fitting = newer.filter(({ seq }) => seq > this.tail);
    const first = fitting[0];
    if (first && first.seq !== this.tail + 1) return;
    const all = [...this.messages, ...fitting];
    if (all.length > WINDOW_MESSAGES_MAX) this.hasBefore = true;
    this.messages = all.slice(-WINDOW_MESSAGES_MAX);
    this.tail = this.messages.at(-1)?.seq ?? this.tail;
    this.hasAfter = hasAfter;
  }

  find(messageId: string): Message | undefined {
    let from = 0;
    let to = this.messages.length - 1;
    while (from <= to) {
      const middle = (from + to) >> 1;
      const message = this.messages[middle] as Message;
      const order = compareMessageIds(message.messageId, messageId);
      if (order === 0) return message;
      if (order < 0) from = middle + 1;
      else to = middle - 1;
    }
    return undefined;
  }
}
