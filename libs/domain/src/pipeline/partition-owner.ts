import type { PriorSend } from '../conversation/conversation.state.js';
import { DomainError } from '../errors/domain-error.js';
import type { BatchCommit, DecidedBatch } from '../ports/batch-commit.port.js';
import { DataRefused } from '../ports/batch-commit.port.js';
import type { Broadcast } from '../ports/broadcast.port.js';
import type { Checkpoint, PartitionAdvance } from '../ports/checkpoint.port.js';
import type { CommandLog, LogRecord, Positions } from '../ports/command-log.port.js';
import type { EventStream } from '../ports/event-stream.port.js';
import type { MessageStore } from '../ports/message-store.port.js';
import type { PartitionProgress } from '../ports/partition-leases.port.js';
import type { PipelineMetrics } from '../ports/pipeline-metrics.port.js';
import type { Replies } from '../ports/replies.port.js';
import { BatchBuilder, PoisonRecord, recordKey } from './batch-builder.js';
import { loadChangedMessages } from './changed-messages.js';
import { CachedConversation, ConversationCache } from './conversation-cache.js';
import { isRefusedUnlessRepeated, loadEarlierSends } from './earlier-sends.js';
import { NoFailPoints, type FailPoints } from './fail-points.js';
import { checkSameLog } from './log-continuity.js';
import { recentHeads } from './recent-heads.js';

/** These partitions have another owner, or moved without this one: whatever it had in memory of them is void. */
export class Fenced extends Error {
  constructor(readonly partitions: readonly number[]) {
    super(`another owner moved partition ${partitions.join(', ')}`);
  }
}

export interface PartitionOwnerPorts {
  log: CommandLog;
  commit: BatchCommit;
  checkpoint: Checkpoint;
  stream: EventStream;
  store: MessageStore;
  broadcast: Broadcast;
  replies: Replies;
  metrics: PipelineMetrics;
}

export interface PartitionOwnerOptions {
  /** First and longest pause after a failed commit. */
  backoffMs?: { first: number; longest: number };
  failPoints?: FailPoints;
  /** Told of failures that the owner lives through. */
  onTrouble?: (what: string, error: unknown) => void;
}

type OffsetOf = (advance: PartitionAdvance) => number;

const BACKOFF_MS = { first: 50, longest: 1_000 };

/**
 * Owns partitions: takes their records in batches, decides them, commits each batch, then broadcasts and replies.
 *
 * One batch is in flight at a time. `process` returns when its batch is on its way, so that records gather while it
 * commits; `settle` waits for its end. What a batch came to is published as soon as the next one is on its way, or at
 * once when there is none: only what is final is broadcast, in order, before anybody is answered.
 */
export class PartitionOwner {
  private readonly held = new Map<number, PartitionProgress>();
  private readonly conversations = new ConversationCache();
  private inFlight: Promise<void> | null = null;
  /** What is committed, in order. */
  private unpublished: BatchBuilder[] = [];
  private stopping = false;
  private readonly failPoints: FailPoints;
  private readonly backoffMs: { first: number; longest: number };

  constructor(
    private readonly ports: PartitionOwnerPorts,
    private readonly options: PartitionOwnerOptions = {},
  ) {
    this.failPoints = options.failPoints ?? new NoFailPoints();
    this.backoffMs = options.backoffMs ?? BACKOFF_MS;
  }

  /**
   * Begins to own partitions, and lets clients find what a former owner committed and did not get to broadcast.
   * @throws LogTruncated, LogReplaced when the log is not the one from which they were applied
   * @throws when the log, the stream or the checkpoint cannot be read; none of them is owned then
   */
  async take(progress: readonly PartitionProgress[]): Promise<void> {
    const { metrics, log, stream, checkpoint, broadcast } = this.ports;
    for (const { partition } of progress) metrics.partitionOwnerState(partition, 'starting');
    const looking = checkSameLog(log, progress).then(() => recentHeads(progress, stream, checkpoint));
    const heads = await looking.catch((error: unknown) => {
      for (const { partition } of progress) metrics.partitionOwnerState(partition, 'stopped');
      throw error;
    });
    for (const partition of progress) {
      this.held.set(partition.partition, partition);
      metrics.partitionOwnerState(partition.partition, 'owning');
    }
    if (heads.length > 0) await broadcast.publish([{ type: 'conversations-moved', heads }]);
  }

  /** Stops owning partitions and forgets their conversations; no batch of them is in flight. */
  yieldPartitions(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.held.delete(partition);
      this.ports.metrics.partitionOwnerState(partition, 'stopped');
    }
    if (this.held.size === 0) this.conversations.clear();
    else this.conversations.dropPartitions(new Set(partitions), this.ports.log.partitions);
  }

  /** Tells the figures what becomes of partitions that this process goes on owning. */
  reportState(partitions: Iterable<number>, state: 'owning' | 'backing_off'): void {
    for (const partition of partitions) this.ports.metrics.partitionOwnerState(partition, state);
  }

  positions(): Positions {
    const positions = new Map<number, number>();
    for (const { partition, nextOffset } of this.held.values()) positions.set(partition, nextOffset);
    return positions;
  }

  /** Gives up retrying: a commit that fails from now on ends with its error. */
  stopRetrying(): void {
    this.stopping = true;
  }

  /**
   * Waits until the batch in flight is committed. @throws Fenced
   */
  async settle(): Promise<void> {
    if (!this.inFlight) return;
    const inFlight = this.inFlight;
    try {
      await inFlight;
    } catch (error) {
      this.conversations.clear();
      throw error;
    } finally {
      if (this.inFlight === inFlight) this.inFlight = null;
    }
  }

  /** Publishes what has been committed and not published. */
  publish(): void {
    const builders = this.unpublished;
    this.unpublished = [];
    for (const { live, replies } of builders) {
      if (live.length > 0) void this.ports.broadcast.publish(live);
      this.failPoints.reach('after-broadcast');
      for (const [processId, answers] of replies) this.ports.replies.send(processId, answers);
    }
  }

  /**
   * Decides the records and sends their batch on its way. The caller has settled the one before.
   * @throws Fenced when loading shows another owner
   */
  async process(records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) return this.publish();
    const priors = await this.findPriors(records.filter(isRefusedUnlessRepeated));
    const builder = await this.decideAll(records, priors, new Map());
    this.failPoints.reach('after-decide');
    await this.startCommit(records, builder);
    this.failPoints.reach('during-commit');
    this.publish();
  }

  /**
   * Resolves when the batch is handed over, or its commit has ended: publishing the one before takes milliseconds, and
   * what of a large batch has not left by then would wait for them, the database with it (measured: 4,000 messages a
   * second took 97 % of the time of two processors in turn, and 35 % of it at once).
   */
  private startCommit(records: readonly LogRecord[], builder: BatchBuilder): Promise<void> {
    return new Promise((resolve) => {
      const committing = this.commitDecided(records, builder, resolve);
      this.inFlight = committing;
      // Its error is met in settle(); until then it is not unhandled.
      committing.then(
        () => resolve(),
        () => resolve(),
      );
    });
  }

  private async decideAll(
    records: readonly LogRecord[],
    priors: ReadonlyMap<string, PriorSend>,
    poison: Map<string, string>,
  ): Promise<BatchBuilder> {
    for (;;) {
      const conversations = await this.loadConversations(records);
      const messages = await this.fromStore((store) => loadChangedMessages(store, records));
      const journaled = this.ports.log.durableAt === 'commit';
      const builder = new BatchBuilder({
        progress: this.held,
        conversations,
        messages,
        priors,
        poison,
        journaled,
      });
      try {
        for (const record of records) builder.add(record);
        builder.finish();
        for (const [conversationId, entry] of builder.touchedConversations()) {
          this.conversations.keep(conversationId, entry);
        }
        return builder;
      } catch (error) {
        this.conversations.drop(conversations.keys());
        if (!(error instanceof PoisonRecord)) throw error;
        this.trouble('a record is set aside', error);
        poison.set(error.key, error.message);
      }
    }
  }

  private async loadConversations(records: readonly LogRecord[]): Promise<Map<string, CachedConversation>> {
    const found = new Map<string, CachedConversation>();
    const missing = new Map<string, number>();
    for (const { record, partition } of records) {
      if (!record || found.has(record.conversationId)) continue;
      const entry = this.conversations.get(record.conversationId);
      if (entry) found.set(record.conversationId, entry);
      else missing.set(record.conversationId, partition);
    }
    if (missing.size === 0) return found;
    const expected = [...new Set(missing.values())].map((partition) => this.progressOf(partition));
    const { fenced, states } = await this.ports.checkpoint.load([...missing.keys()], expected);
    if (fenced.length > 0) throw new Fenced(fenced);
    for (const conversationId of missing.keys()) {
      const entry = new CachedConversation(states.get(conversationId) ?? null);
      found.set(conversationId, entry);
      this.conversations.keep(conversationId, entry);
    }
    return found;
  }

  /** What the store says, as soon as it says anything: records that cannot be decided yet wait, the partitions stay. */
  private async fromStore<T>(read: (store: MessageStore) => Promise<T>): Promise<T> {
    let pauseMs = this.backoffMs.first;
    for (let failed = false; ; failed = true) {
      try {
        const found = await read(this.ports.store);
        if (failed) this.reportState(this.held.keys(), 'owning');
        return found;
      } catch (error) {
        if (this.stopping || !(error instanceof DomainError) || error.code !== 'store_unavailable') throw error;
        this.trouble('the message store cannot be read', error);
        this.reportState(this.held.keys(), 'backing_off');
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(pauseMs * 2, this.backoffMs.longest);
      }
    }
  }

  private progressOf(partition: number): PartitionProgress {
    const progress = this.held.get(partition);
    if (!progress) throw new Fenced([partition]);
    return progress;
  }

  /** Commits a decided batch, whatever it takes, and moves the positions. */
  private async commitDecided(
    records: readonly LogRecord[],
    first: BatchBuilder,
    onHandedOver?: () => void,
  ): Promise<void> {
    let builder = first;
    for (;;) {
      const startedAt = performance.now();
      const result = await this.tryCommit(builder.batch, onHandedOver);
      switch (result.kind) {
        case 'committed':
          return this.committed(builder, records.length, performance.now() - startedAt);
        case 'fenced':
          throw new Fenced(await this.fencedOf(builder.batch));
        case 'duplicate-sends':
          this.conversations.drop(conversationIdsOf(records));
          builder = await this.decideAll(records, await this.findPriors(records), new Map());
          break;
        case 'data-refused':
          this.conversations.drop(conversationIdsOf(records));
          return this.commitHalves(records, result.error);
      }
    }
  }

  /** A batch that the database refuses for its data is halved until the bad record is alone; that one is set aside. */
  private async commitHalves(records: readonly LogRecord[], error: DataRefused): Promise<void> {
    const [only] = records;
    if (records.length === 1 && only) {
      this.trouble('a record is set aside', error);
      const poison = new Map([[recordKey(only), error.message]]);
      return this.commitDecided(records, await this.decideAll(records, new Map(), poison));
    }
    const middle = Math.ceil(records.length / 2);
    for (const half of [records.slice(0, middle), records.slice(middle)]) {
      const priors = await this.findPriors(half);
      await this.commitDecided(half, await this.decideAll(half, priors, new Map()));
    }
  }

  private findPriors(records: readonly LogRecord[]): Promise<Map<string, PriorSend>> {
    return this.fromStore((store) => loadEarlierSends(store, records));
  }

  private async tryCommit(
    batch: DecidedBatch,
    onHandedOver?: () => void,
  ): Promise<{ kind: 'committed' | 'fenced' | 'duplicate-sends' } | { kind: 'data-refused'; error: DataRefused }> {
    let pauseMs = this.backoffMs.first;
    for (let failed = false; ; failed = true) {
      try {
        const kind = await this.ports.commit.commit(batch, onHandedOver);
        if (failed) this.reportState(partitionsOf(batch), 'owning');
        return { kind };
      } catch (error) {
        if (error instanceof DataRefused) return { kind: 'data-refused', error };
        this.trouble('a commit failed', error);
        const found = await this.whatBecameOf(batch);
        if (found === 'committed') this.reportState(partitionsOf(batch), 'owning');
        if (found) return { kind: found };
        if (this.stopping) throw error;
        this.reportState(partitionsOf(batch), 'backing_off');
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(pauseMs * 2, this.backoffMs.longest);
      }
    }
  }

  /** After a commit whose end is unknown. Null: it is not in, or the database does not answer yet. */
  private async whatBecameOf(batch: DecidedBatch): Promise<'committed' | 'fenced' | null> {
    try {
      const elsewhere = await this.progressOfAll(batch);
      if (elsewhere(({ nextOffset }) => nextOffset).length === 0) return 'committed';
      return elsewhere(({ expectedOffset }) => expectedOffset).length === 0 ? null : 'fenced';
    } catch (error) {
      this.trouble('progress cannot be read', error);
      return null;
    }
  }

  /** The partitions that are not where this owner left them; all of the batch where that cannot be told. */
  private async fencedOf(batch: DecidedBatch): Promise<number[]> {
    try {
      const fenced = (await this.progressOfAll(batch))(({ expectedOffset }) => expectedOffset);
      return fenced.length > 0 ? fenced : partitionsOf(batch);
    } catch (error) {
      this.trouble('progress cannot be read', error);
      return partitionsOf(batch);
    }
  }

  /** Answers what tells the partitions of the batch that have another epoch, or are elsewhere than at this offset. */
  private async progressOfAll(batch: DecidedBatch): Promise<(offsetOf: OffsetOf) => number[]> {
    const progress = await this.ports.checkpoint.progress(partitionsOf(batch));
    const now = new Map(progress.map((row) => [row.partition, row]));
    const isElsewhere = (advance: PartitionAdvance, offset: number): boolean => {
      const row = now.get(advance.partition);
      return row?.epoch !== advance.epoch || row.nextOffset !== offset;
    };
    return (offsetOf) =>
      batch.checkpoint.partitions.flatMap((advance) =>
        isElsewhere(advance, offsetOf(advance)) ? advance.partition : [],
      );
  }

  private committed(builder: BatchBuilder, records: number, durationMs: number): void {
    const { metrics, log } = this.ports;
    for (const { expectedOffset: _, ...progress } of builder.batch.checkpoint.partitions) {
      // Unless it was given up, or claimed anew, while the batch was on its way.
      if (this.held.get(progress.partition)?.epoch === progress.epoch) this.held.set(progress.partition, progress);
    }
    this.failPoints.reach('after-commit');
    log.committed(this.positions());
    metrics.batchCommitted(records, durationMs);
    metrics.messagesSent(builder.sends);
    if (builder.batch.checkpoint.deadLetters.length > 0) {
      metrics.deadLettered(builder.batch.checkpoint.deadLetters.length);
    }
    for (const outcome of builder.outcomes) if (outcome.kind === 'refused') metrics.commandRefused(outcome.code);
    this.unpublished.push(builder);
  }

  private trouble(what: string, error: unknown): void {
    this.options.onTrouble?.(what, error);
  }
}

function partitionsOf({ checkpoint }: DecidedBatch): number[] {
  return checkpoint.partitions.map(({ partition }) => partition);
}

function conversationIdsOf(records: readonly LogRecord[]): string[] {
  return records.flatMap(({ record }) => record?.conversationId ?? []);
}
