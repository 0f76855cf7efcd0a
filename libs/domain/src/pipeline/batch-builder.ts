import type { Message } from '@parley/contracts';
import type { CommandRecord } from '../conversation/commands/command-record.js';
import { decide } from '../conversation/conversation.decider.js';
import type { PriorSend } from '../conversation/conversation.state.js';
import type { Outcome } from '../conversation/decision.js';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import { type PartitionClock, snowflake, tick } from '../conversation/snowflake.js';
import type { LiveEvent } from '../live/live-event.js';
import { messageJson } from '../messages/message-json.js';
import type { DecidedBatch } from '../ports/batch-commit.port.js';
import type { PartitionAdvance } from '../ports/checkpoint.port.js';
import type { LogRecord } from '../ports/command-log.port.js';
import type { PartitionProgress } from '../ports/partition-leases.port.js';
import type { Reply } from '../ports/replies.port.js';
import type { CachedConversation } from './conversation-cache.js';
import { EventFold } from './event-fold.js';
import { toLiveEvent } from './live-events.js';
import { MediaUses } from './media-uses.js';
import { recordHash } from './record-hash.js';

/** What a batch starts from: read before anything is decided, so that deciding waits for nothing. */
export interface BatchInputs {
  progress: ReadonlyMap<number, PartitionProgress>;
  conversations: ReadonlyMap<string, CachedConversation>;
  /** The messages that commands of this batch change, as they are committed. */
  messages: ReadonlyMap<string, Message>;
  /** Sends found in the store, by `sendKey`. */
  priors: ReadonlyMap<string, PriorSend>;
  /** Records (`partition:offset`) that were seen to break something: they are set aside, not decided. */
  poison: ReadonlyMap<string, string>;
  /** Whether the records must be journaled with the batch. */
  journaled: boolean;
}

export const recordKey = (record: { partition: number; offset: number }): string =>
  `${record.partition}:${record.offset}`;

export const sendKey = (conversationId: string, senderId: string, clientMsgId: string): string =>
  `${conversationId}|${senderId}|${clientMsgId}`;

/** A record that broke the decider: the batch is decided again without it. */
export class PoisonRecord extends Error {
  constructor(
    readonly key: string,
    cause: unknown,
  ) {
    super(`record ${key} cannot be decided: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Decides a batch of records, in order, and gathers what they come to: one write, live events, replies. */
export class BatchBuilder {
  private readonly fold: EventFold;
  private readonly mediaUses = new MediaUses();
  private readonly advances = new Map<number, PartitionAdvance>();
  readonly live: LiveEvent[] = [];
  readonly replies = new Map<string, Reply[]>();
  readonly outcomes: Outcome[] = [];
  readonly batch: DecidedBatch = {
    journal: [],
    messages: [],
    stream: [],
    checkpoint: { partitions: [], conversations: [], members: [], receipts: [], deadLetters: [] },
  };

  constructor(private readonly inputs: BatchInputs) {
    this.fold = new EventFold(inputs.messages);
  }

  /** New messages in the batch. */
  get sends(): number {
    return this.fold.sends;
  }

  add(record: LogRecord): void {
    const { partition, offset, at, payload } = record;
    const advance = this.advanceOf(partition);
    if (offset !== advance.nextOffset) {
      throw new Error(`partition ${partition}: offset ${offset} where ${advance.nextOffset} is next`);
    }
    if (this.inputs.journaled) this.batch.journal.push({ partition, offset, at, payload });
    const poison = record.record === null ? 'unreadable' : this.inputs.poison.get(recordKey(record));
    if (poison !== undefined || record.record === null) {
      this.setAside(record, poison ?? 'unreadable');
    } else {
      this.decideOne(record.record, record, advance);
    }
    advance.nextOffset = offset + 1;
    advance.lastRecordHash = payload;
  }

  /** Ends the batch; nothing may be added after it. */
  finish(): DecidedBatch {
    const { checkpoint } = this.batch;
    // Always in the same order: rows that two writers lock in different orders are a deadlock.
    for (const advance of [...this.advances.values()].sort((a, b) => a.partition - b.partition)) {
      checkpoint.partitions.push({ ...advance, lastRecordHash: recordHash(advance.lastRecordHash ?? '') });
    }
    checkpoint.conversations.push(...this.fold.states());
    checkpoint.members.push(...this.fold.members.values());
    checkpoint.receipts.push(...this.fold.receipts);
    this.batch.messages.push(...this.fold.messages.values());
    const mediaUses = this.mediaUses.all();
    if (mediaUses.length > 0) checkpoint.mediaUses = mediaUses;
    return this.batch;
  }

  touchedConversations(): Iterable<[string, CachedConversation]> {
    return this.fold.touched;
  }

  private advanceOf(partition: number): PartitionAdvance {
    let advance = this.advances.get(partition);
    if (!advance) {
      const progress = this.inputs.progress.get(partition);
      if (!progress) throw new Error(`partition ${partition} is not owned`);
      advance = { ...progress, expectedOffset: progress.nextOffset };
      this.advances.set(partition, advance);
    }
    return advance;
  }

  private setAside({ partition, offset, at, payload, record }: LogRecord, reason: string): void {
    this.batch.checkpoint.deadLetters.push({ partition, offset, at, payload, reason });
    if (record) this.reply(record, { kind: 'refused', code: 'internal', detail: 'This command cannot be processed' });
  }

  private decideOne(record: CommandRecord, place: LogRecord, advance: PartitionAdvance): void {
    const conversation = this.inputs.conversations.get(record.conversationId);
    if (!conversation) throw new Error(`conversation ${record.conversationId} was not loaded`);
    const clock: PartitionClock = tick(advance.clock, place.at);
    const messageId = snowflake(place.partition, clock);
    try {
      const { partition, offset, at } = place;
      const prior = this.priorOf(record, conversation);
      const decision = decide(conversation.state, record, { partition, offset, at, messageId }, prior);
      decision.events.forEach((event, index) => this.apply(event, index, record, place, conversation));
      if (decision.events.some((event) => event.type === 'message-sent')) advance.clock = clock;
      this.reply(record, decision.outcome);
    } catch (error) {
      throw new PoisonRecord(recordKey(place), error);
    }
  }

  private priorOf({ command, conversationId, actorId }: CommandRecord, known: CachedConversation): PriorSend | null {
    if (command.type !== 'send-message') return null;
    return (
      known.priorSend(actorId, command.clientMsgId) ??
      this.inputs.priors.get(sendKey(conversationId, actorId, command.clientMsgId)) ??
      null
    );
  }

  private apply(
    event: ConversationEvent,
    index: number,
    record: CommandRecord,
    { partition, offset, at }: LogRecord,
    conversation: CachedConversation,
  ): void {
    const { conversationId } = event;
    const changed = this.fold.apply(event, at, conversation);
    this.mediaUses.follow(event, this.inputs.messages);
    const payload = eventJson(event);
    this.batch.stream.push({ partition, offset, index, conversationId, at, payload });
    const live = conversation.state && toLiveEvent(event, conversation.state, record, changed);
    if (live) this.live.push(live);
  }

  private reply({ origin, commandId }: CommandRecord, outcome: Outcome): void {
    this.outcomes.push(outcome);
    const replies = this.replies.get(origin.processId);
    if (replies) replies.push({ commandId, outcome });
    else this.replies.set(origin.processId, [{ commandId, outcome }]);
  }
}

/** JSON of an event; a sent message's own JSON is made once and serves the stream, the sockets and the pages. */
function eventJson(event: ConversationEvent): string {
  if (event.type !== 'message-sent') return JSON.stringify(event);
  const { type, version, conversationId, at, message, requestHash } = event;
  const head = JSON.stringify({ type, version, conversationId, at });
  return `${head.slice(0, -1)},"message":${messageJson(message)},"requestHash":${JSON.stringify(requestHash)}}`;
}
