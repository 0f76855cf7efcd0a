import type { Message } from '@parley/contracts';
import { type MessageRead, type MessageWrite, textBytes } from '@parley/domain';

/** Messages kept of each conversation: more than the largest page and its look-ahead. */
export const TAIL_MESSAGES_MAX = 128;
/** About 64 MB of text, and as much again for the objects around it. */
export const TAIL_CHARS_MAX = 32_000_000;
/** What an object costs beside its text, in characters: so that many short messages are bounded too. */
const MESSAGE_OVERHEAD_CHARS = 300;

/** The seqs that a page may hold. */
interface Place extends Pick<MessageRead, 'order' | 'bytesMax'> {
  from: number;
  to: number;
}

interface Tail {
  /** Consecutive by seq, oldest first. */
  messages: Message[];
  chars: number;
  /** The page that was read last, until a message comes or changes: the same list again lets its encoding be reused. */
  page: (Place & { messages: readonly Message[] }) | null;
}

const cost = (message: Message): number => message.content.length + MESSAGE_OVERHEAD_CHARS;

/**
 * The newest messages of the conversations that are written to or read: what most pages are made of (measured: 8,400
 * pages a second from memory, 3,300 from rows). Follows the commits of this process, so it is only right where every
 * commit to this database goes through it; an uncertain commit drops it.
 */
export class MessageTails {
  private readonly tails = new Map<string, Tail>();
  private readonly loading = new Map<string, { stale: boolean }>();
  private chars = 0;

  constructor(private readonly charsMax: number = TAIL_CHARS_MAX) {}

  follow(writes: readonly MessageWrite[]): void {
    for (const { message } of writes) {
      const load = this.loading.get(message.conversationId);
      if (load) load.stale = true;
      this.put(message);
    }
    this.evict();
  }

  clear(): void {
    this.tails.clear();
    this.chars = 0;
    for (const load of this.loading.values()) load.stale = true;
  }

  /** The page, when the tail holds all that could be on it; null when the store must be asked. */
  read({ conversationId, range, order, limit, bytesMax }: MessageRead): readonly Message[] | null {
    const tail = this.tails.get(conversationId);
    const first = tail?.messages[0];
    const last = tail?.messages.at(-1);
    if (!tail || !first || !last) return null;
    this.touch(conversationId, tail);
    // Beyond the tail's end there is nothing yet: every commit passed through here.
    const end = Math.min(range.toSeq, last.seq);
    const from = order === 'newest-first' ? Math.max(range.fromSeq, end - limit + 1) : range.fromSeq;
    const to = order === 'newest-first' ? end : Math.min(end, from + limit - 1);
    const { page } = tail;
    if (page?.from === from && page.to === to && page.order === order && page.bytesMax === bytesMax) {
      return page.messages;
    }
    const place = { from, to, order, bytesMax };
    const messages = pageOf(tail.messages, first.seq, place);
    if (messages) tail.page = { ...place, messages };
    return messages;
  }

  find(conversationId: string, messageId: string): Message | null {
    const messages = this.tails.get(conversationId)?.messages;
    if (!messages) return null;
    // Newest first: what is looked up is mostly what was just sent.
    for (let i = messages.length - 1; i >= 0; i--) {
      const message = messages[i];
      if (message?.messageId === messageId) return message;
    }
    return null;
  }

  /** Remembers the newest messages that `load` reads, unless a commit to the conversation comes in between. */
  async fill(conversationId: string, load: () => Promise<Message[]>): Promise<void> {
    if (this.loading.has(conversationId)) return;
    const state = { stale: false };
    this.loading.set(conversationId, state);
    try {
      const messages = await load();
      if (state.stale || messages.length === 0) return;
      this.forget(conversationId);
      const chars = messages.reduce((sum, message) => sum + cost(message), 0);
      this.tails.set(conversationId, { messages, chars, page: null });
      this.chars += chars;
      this.evict();
    } finally {
      this.loading.delete(conversationId);
    }
  }

  private put(message: Message): void {
    const { conversationId, seq } = message;
    let tail = this.tails.get(conversationId);
    const last = tail?.messages.at(-1);
    if (tail && last && seq <= last.seq) {
      this.replace(tail, message);
      return;
    }
    if (tail && last && seq !== last.seq + 1) {
      this.forget(conversationId);
      tail = undefined;
    }
    if (!tail) {
      tail = { messages: [], chars: 0, page: null };
      this.tails.set(conversationId, tail);
    }
    tail.messages.push(message);
    tail.page = null;
    this.grow(tail, cost(message));
    // Dropped in blocks: shifting an array for each message would cost more than it frees.
    if (tail.messages.length >= 2 * TAIL_MESSAGES_MAX) {
      const dropped = tail.messages.splice(0, tail.messages.length - TAIL_MESSAGES_MAX);
      this.grow(tail, -dropped.reduce((sum, old) => sum + cost(old), 0));
    }
  }

  private replace(tail: Tail, message: Message): void {
    const index = message.seq - (tail.messages[0]?.seq ?? 0);
    const before = tail.messages[index];
    if (!before || before.rev > message.rev) return;
    tail.messages[index] = message;
    tail.page = null;
    this.grow(tail, cost(message) - cost(before));
  }

  private grow(tail: Tail, chars: number): void {
    tail.chars += chars;
    this.chars += chars;
  }

  private touch(conversationId: string, tail: Tail): void {
    this.tails.delete(conversationId);
    this.tails.set(conversationId, tail);
  }

  private forget(conversationId: string): void {
    this.chars -= this.tails.get(conversationId)?.chars ?? 0;
    this.tails.delete(conversationId);
  }

  private evict(): void {
    while (this.chars > this.charsMax) {
      const oldest = this.tails.keys().next().value;
      if (oldest === undefined) return;
      this.forget(oldest);
    }
  }
}

/** The messages of the place that fit, in its order; null when it leaves the tail before it is full. */
function pageOf(held: readonly Message[], firstSeq: number, { from, to, order, bytesMax }: Place): Message[] | null {
  const page: Message[] = [];
  const step = order === 'newest-first' ? -1 : 1;
  let bytes = 0;
  for (let seq = step > 0 ? from : to; seq >= from && seq <= to; seq += step) {
    const message = held[seq - firstSeq];
    if (!message) return null;
    bytes += textBytes(message);
    if (bytes > bytesMax && page.length > 0) break;
    page.push(message);
  }
  return page;
}
