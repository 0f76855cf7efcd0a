import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import { applyChange, isMessageChange } from '../messages/message.projection.js';
import type { Checkpoint } from '../ports/checkpoint.port.js';
import type { EventStream, StreamedEvent, StreamPosition } from '../ports/event-stream.port.js';
import type { MessageStore, MessageWrite } from '../ports/message-store.port.js';
import { loadMessagesOfEvents } from './changed-messages.js';

/** Events that are read, and appended, together: few, since a store that has just come back answers others between them. */
const PAGE_EVENTS = 100;
/** Reading on from so many records before the place is cheaper than finding it exactly. */
const NEAR_RECORDS = 256;
/** Behind every event of a record. */
const LAST_INDEX = 2_147_483_647;

export interface ReappendPorts {
  stream: EventStream;
  store: MessageStore;
  /** Says up to where the events are final. */
  checkpoint: Checkpoint;
}

/** Milliseconds since the epoch, by the time of the records; both ends belong to it. */
export interface TimeSpan {
  fromMs: number;
  toMs: number;
}

export interface ReappendCount {
  events: number;
  messages: number;
  /** Changes of messages that the store does not have, and that are not in the span either. */
  missing: number;
}

/**
 * Appends to the message store again what the event stream says that a span of time made and changed. Nothing is decided
 * anew: ids, seqs, revs and keys are those of the events. What the store still has stays as it is, since each write
 * carries its rev; what it lost is there again. It asks for no more than half of the store's time.
 */
export class MessageReappender {
  constructor(
    private readonly ports: ReappendPorts,
    /** Bounds what is asked of a store that has just come back. */
    private readonly eventsPerSecondMax: number,
  ) {}

  /** @throws what stream, store or checkpoint throw; to begin again from the first is right then */
  async run(partition: number, span: TimeSpan, signal: AbortSignal): Promise<ReappendCount> {
    const count: ReappendCount = { events: 0, messages: 0, missing: 0 };
    const { stream, checkpoint } = this.ports;
    const [progress] = await checkpoint.progress([partition]);
    if (!progress || progress.nextOffset === 0) return count;
    let after = await this.placeBefore(partition, span.fromMs, progress.nextOffset);
    for (;;) {
      const began = performance.now();
      const page = await stream.read(partition, after, PAGE_EVENTS);
      const wanted = page.filter(
        ({ at, offset }) => at >= span.fromMs && at <= span.toMs && offset < progress.nextOffset,
      );
      const appendedFrom = performance.now();
      await this.append(wanted, count);
      const tookMs = performance.now() - appendedFrom;
      const last = page.at(-1);
      if (!last || last.at > span.toMs || last.offset >= progress.nextOffset || signal.aborted) return count;
      after = { offset: last.offset, index: last.index };
      const dueMs = began + (wanted.length * 1_000) / this.eventsPerSecondMax - performance.now();
      const pauseMs = Math.max(dueMs, tookMs);
      if (pauseMs >= 1) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** A place before all events of that time and later, and not far before: backwards from the end, then by halving. */
  private async placeBefore(partition: number, fromMs: number, end: number): Promise<StreamPosition | null> {
    let [low, high] = [-1, end - 1];
    for (let step = NEAR_RECORDS; high > 0; step *= 4) {
      const probe = Math.max(end - 1 - step, -1);
      if (probe === -1) break;
      if (await this.isBefore(partition, probe, fromMs)) {
        low = probe;
        break;
      }
      high = probe;
    }
    while (high - low > NEAR_RECORDS) {
      const middle = Math.floor((low + high) / 2);
      if (await this.isBefore(partition, middle, fromMs)) low = middle;
      else high = middle;
    }
    return low === -1 ? null : { offset: low, index: LAST_INDEX };
  }

  /** Whether the first event behind the record is of an earlier time. */
  private async isBefore(partition: number, offset: number, fromMs: number): Promise<boolean> {
    const [event] = await this.ports.stream.read(partition, { offset, index: LAST_INDEX }, 1);
    return event !== undefined && event.at < fromMs;
  }

  private async append(streamed: readonly StreamedEvent[], count: ReappendCount): Promise<void> {
    if (streamed.length === 0) return;
    const events = streamed.map(({ payload }) => JSON.parse(payload) as ConversationEvent);
    const known = await loadMessagesOfEvents(this.ports.store, events);
    const writes = new Map<string, MessageWrite>();
    for (const event of events) {
      if (event.type === 'message-sent') writes.set(event.message.messageId, sentWrite(event));
      if (!isMessageChange(event)) continue;
      const written = writes.get(event.messageId);
      const before = written?.message ?? known.get(event.messageId);
      if (!before) {
        count.missing++;
        continue;
      }
      writes.set(event.messageId, { message: applyChange(before, event), send: written?.send ?? null });
    }
    await this.ports.store.append([...writes.values()]);
    count.events += events.length;
    count.messages += writes.size;
  }
}

function sentWrite({ message, requestHash, at }: Extract<ConversationEvent, { type: 'message-sent' }>): MessageWrite {
  const { conversationId, senderId, clientMsgId, messageId, seq, rev } = message;
  return { message, send: { conversationId, senderId, clientMsgId, messageId, seq, rev, at, requestHash } };
}
