import {
  type ConversationEvent,
  DurableEventHandler,
  type EventDelivery,
  EventHandlerRunner,
  type EventStream,
  HANDLER_PACE,
  NoHandlerMetrics,
  type StreamedEvent,
} from '@parley/domain';
import { startTestDatabase, type TestDatabase } from '../accounts/test-database.testing.js';
import { PostgresPartitionLeases } from '../checkpoint/postgres-partition-leases.js';
import { PostgresEventStream } from '../event-stream/postgres-event-stream.js';
import { PostgresHandlerProgress } from './postgres-handler-progress.js';

export const LEASE_MS = 1_500;

const PACE = { pollMs: 10, saveMs: 20, savePassedMs: 50, retryLookMs: 20, lateLookMs: 50 };

export type Handling = (event: ConversationEvent, delivery: EventDelivery) => Promise<void>;

/** Does what a test says, and remembers the revs that it handled well. */
export class TestHandler extends DurableEventHandler {
  override readonly name = 'test-handler';
  override readonly appliesTo = ['conversation-renamed'] as const;
  override readonly begin = 'beginning';
  override readonly retryPauseMs = 20;
  override readonly attemptMsMax: number = 10_000;
  override attemptsMax = 3;
  readonly handled: string[] = [];

  constructor(private readonly handling: Handling = () => Promise.resolve()) {
    super();
  }

  override async handle(event: ConversationEvent, delivery: EventDelivery): Promise<void> {
    await this.handling(event, delivery);
    this.handled.push(`${event.conversationId.at(-1)}${(event as { rev: number }).rev}`);
  }
}

/** A stream of decided events on a real database, and processes that handle them. */
export class HandlerHarness {
  private readonly runners: EventHandlerRunner[] = [];
  /** Offset of the next record. */
  nextOffset = 0;
  readonly progress: PostgresHandlerProgress;

  private constructor(
    readonly test: TestDatabase,
    readonly stream: EventStream,
    private readonly partitions: number,
  ) {
    this.progress = new PostgresHandlerProgress(test.database.pool, LEASE_MS);
  }

  /** @param stream of so many partitions; the database's own without it */
  static async start(partitions = 2, stream?: EventStream): Promise<HandlerHarness> {
    const test = await startTestDatabase();
    await new PostgresPartitionLeases(test.database.pool).ensurePartitions(partitions);
    return new HandlerHarness(test, stream ?? new PostgresEventStream(test.database.pool), partitions);
  }

  /** `a1`: the first event of conversation a. One record each; decided at once, as a commit does. */
  async decide(names: readonly string[], partition = 0): Promise<void> {
    const events = this.eventsOf(names, partition);
    await this.stream.append(events);
    await this.settle(this.nextOffset);
  }

  eventsOf(names: readonly string[], partition = 0): StreamedEvent[] {
    return names.map((name) => {
      const conversationId = `00000000-0000-4000-8000-00000000000${name[0]}`;
      const offset = this.nextOffset++;
      const event = { type: 'conversation-renamed', version: 1, conversationId, at: 1, rev: Number(name.slice(1)) };
      return { partition, offset, index: 0, conversationId, at: 1, payload: JSON.stringify({ ...event, name }) };
    });
  }

  async settle(offset: number): Promise<void> {
    await this.test.database.pool.query('UPDATE partition_progress SET next_offset = $1', [offset]);
  }

  run(
    handler: DurableEventHandler,
    ownerId = `owner-${this.runners.length}`,
    pace: typeof HANDLER_PACE = PACE,
  ): EventHandlerRunner {
    const { stream, progress, partitions } = this;
    const options = {
      ownerId,
      partitions,
      exclusive: false,
      onTrouble: () => {},
      renewalMs: 300,
      stopGraceMs: 200,
      pace,
    };
    const runner = new EventHandlerRunner({ handler, stream, progress, metrics: new NoHandlerMetrics() }, options);
    this.runners.push(runner);
    runner.start();
    return runner;
  }

  async close(): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.stop()));
    await this.test.stop();
  }
}
