import type { Message } from '@parley/contracts';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import type { Checkpoint, MediaUse } from '../ports/checkpoint.port.js';
import type { EventStream, StreamedEvent, StreamPosition } from '../ports/event-stream.port.js';
import type { MessageStore, MessageWrite } from '../ports/message-store.port.js';
import type { PartitionProgress } from '../ports/partition-leases.port.js';
import { loadMessagesOfEvents } from './changed-messages.js';
import { CachedConversation } from './conversation-cache.js';
import { EventFold } from './event-fold.js';
import { MediaUses } from './media-uses.js';

/** Events that are folded into one commit, and a record's more if it has them. */
const BATCH_EVENTS = 500;
/** Behind every event of a record. */
const LAST_INDEX = 2_147_483_647;

export interface StreamReplayOptions {
  stream: EventStream;
  /** Of tables beside the live ones, whose progress says how far the replay has come. */
  checkpoint: Checkpoint;
  /** Where messages are appended again; null leaves them alone. Appending what is there changes nothing. */
  store: MessageStore | null;
  /** Only this conversation's events. */
  conversationId?: string | undefined;
  /** What earlier batches noted about these messages: a deletion says nothing of the media that go with it. */
  notedMediaUses: (messageIds: readonly string[]) => Promise<MediaUse[]>;
  /** When marks moved before this time is no longer kept (milliseconds since the epoch). */
  receiptsSince: number;
}

export interface ReplayCount {
  events: number;
  messages: number;
  /** Events of conversations whose beginning is no longer in the stream: those conversations are left out. */
  eventsWithoutBeginning: number;
}

interface Replayed {
  streamed: StreamedEvent;
  event: ConversationEvent;
}

const NO_MESSAGES: ReadonlyMap<string, Message> = new Map();

/** Somebody else moves the same tables. */
export class ReplayDisturbed extends Error {}

/**
 * Folds the event stream into tables beside the live ones, a batch at a time: each with its progress in one transaction,
 * so that a replay that was broken off goes on where it was. Not for two at the same time.
 */
export class StreamReplay {
  readonly count: ReplayCount = { events: 0, messages: 0, eventsWithoutBeginning: 0 };
  /** The place behind which the next batch begins; the stream finds one that it has just answered at no cost. */
  private readonly places = new Map<number, StreamPosition>();

  constructor(private readonly options: StreamReplayOptions) {}

  /**
   * Folds the events of all records below `toOffset`, which must be committed: what is above may still be decided anew.
   * @throws Error naming the event that does not follow on what was before it; ReplayDisturbed
   */
  async advance(partition: number, toOffset: number): Promise<void> {
    for (;;) {
      const [progress] = await this.options.checkpoint.progress([partition]);
      if (!progress) throw new Error(`partition ${partition} is not among the tables of the replay`);
      if (progress.nextOffset >= toOffset) return;
      await this.step(progress, toOffset);
    }
  }

  private async step(progress: PartitionProgress, toOffset: number): Promise<void> {
    const { events, nextOffset } = await this.records(progress, toOffset);
    const { conversationId } = this.options;
    const wanted = conversationId === undefined ? events : events.filter((e) => e.conversationId === conversationId);
    const folded = wanted.map((streamed) => ({ streamed, event: eventOf(streamed) }));
    const fold = await this.fold(progress, folded);
    await this.appendMessages([...fold.messages.values()]);
    const result = await this.options.checkpoint.commit({
      partitions: [{ ...progress, expectedOffset: progress.nextOffset, nextOffset }],
      conversations: [...fold.states()],
      members: [...fold.members.values()],
      receipts: fold.receipts.filter(({ at }) => at >= this.options.receiptsSince),
      deadLetters: [],
      mediaUses: await this.mediaUses(
        folded.map(({ event }) => event).filter(({ conversationId: id }) => fold.touched.has(id)),
      ),
    });
    if (result === 'fenced') throw new ReplayDisturbed('Another rebuild works on the same tables.');
    const last = events.at(-1);
    if (last) this.places.set(progress.partition, { offset: last.offset, index: last.index });
    this.count.events += wanted.length;
  }

  /** Whole records: a commit never ends within one. */
  private async records(
    { partition, nextOffset }: PartitionProgress,
    toOffset: number,
  ): Promise<{ events: StreamedEvent[]; nextOffset: number }> {
    const known = this.places.get(partition) ?? null;
    const start = nextOffset === 0 ? null : { offset: nextOffset - 1, index: LAST_INDEX };
    let after = known && known.offset < nextOffset ? known : start;
    const events: StreamedEvent[] = [];
    for (;;) {
      const page = await this.options.stream.read(partition, after, BATCH_EVENTS);
      for (const event of page) if (event.offset >= nextOffset && event.offset < toOffset) events.push(event);
      const last = page.at(-1);
      if (!last || last.offset >= toOffset) return { events, nextOffset: toOffset };
      const unfinished = events.findIndex(({ offset }) => offset === last.offset);
      if (unfinished >= BATCH_EVENTS) return { events: events.slice(0, unfinished), nextOffset: last.offset };
      after = { offset: last.offset, index: last.index };
    }
  }

  private async fold(progress: PartitionProgress, events: readonly Replayed[]): Promise<EventFold> {
    const { checkpoint, store } = this.options;
    const ids = [...new Set(events.map(({ event }) => event.conversationId))];
    const { fenced, states } = await checkpoint.load(ids, [progress]);
    if (fenced.length > 0) throw new ReplayDisturbed('Another rebuild works on the same tables.');
    const plain = events.map(({ event }) => event);
    const fold = new EventFold(store ? await loadMessagesOfEvents(store, plain) : null);
    const conversations = new Map(ids.map((id) => [id, new CachedConversation(states.get(id) ?? null)]));
    for (const { streamed, event } of events) {
      const conversation = conversations.get(event.conversationId)!;
      if (conversation.state === null && event.type !== 'conversation-created') {
        this.count.eventsWithoutBeginning++;
        continue;
      }
      try {
        fold.apply(event, streamed.at, conversation);
      } catch (cause) {
        throw new Error(`event ${placeOf(streamed)} of the stream does not follow on those before it`, { cause });
      }
    }
    return fold;
  }

  private async mediaUses(events: readonly ConversationEvent[]): Promise<MediaUse[]> {
    const uses = new MediaUses();
    const removals = new Map<string, number>();
    for (const event of events) {
      uses.follow(event, NO_MESSAGES);
      if (event.type === 'message-deleted' && !removals.has(event.messageId)) removals.set(event.messageId, event.at);
    }
    const earlier = removals.size > 0 ? await this.options.notedMediaUses([...removals.keys()]) : [];
    const removed = earlier.map((use) => ({ ...use, removedAt: use.removedAt ?? removals.get(use.messageId) ?? null }));
    return [...uses.all(), ...removed];
  }

  private async appendMessages(writes: readonly MessageWrite[]): Promise<void> {
    const { store } = this.options;
    if (!store || writes.length === 0) return;
    await store.append(writes);
    this.count.messages += writes.length;
  }
}

const placeOf = ({ partition, offset, index }: StreamedEvent): string => `${partition}:${offset}:${index}`;

function eventOf(streamed: StreamedEvent): ConversationEvent {
  try {
    return JSON.parse(streamed.payload) as ConversationEvent;
  } catch (cause) {
    throw new Error(`event ${placeOf(streamed)} of the stream is no JSON`, { cause });
  }
}
