import { type DynamicModule, Module } from '@nestjs/common';
import {
  BatchCommit,
  Broadcast,
  Checkpoint,
  CommandLog,
  ConversationReader,
  EventStream,
  FailPoints,
  MessageStore,
  NoFailPoints,
  PartitionLeases,
  Replies,
} from '@parley/domain';
import { KillAtFailPoint } from './faults/kill-at-fail-point.js';
import { MemoryBroadcast, MemoryBroadcastHub } from './memory/memory-broadcast.js';
import { MemoryCommandLog } from './memory/memory-command-log.js';
import { MemoryReplies } from './memory/memory-replies.js';
import { CommitConnection } from './postgres/batch-commit/commit-connection.js';
import { CommitsUnderWay } from './postgres/batch-commit/commits-under-way.js';
import { PostgresBatchCommit } from './postgres/batch-commit/postgres-batch-commit.js';
import { PostgresCheckpoint } from './postgres/checkpoint/postgres-checkpoint.js';
import { PostgresPartitionLeases } from './postgres/checkpoint/postgres-partition-leases.js';
import type { Database } from './postgres/database.js';
import { PostgresEventStream } from './postgres/event-stream/postgres-event-stream.js';
import { MessageTails } from './postgres/message-store/message-tails.js';
import { PostgresMessageStore } from './postgres/message-store/postgres-message-store.js';
import { MemberViews } from './postgres/read-models/member-views.js';
import { PostgresConversationReader } from './postgres/read-models/postgres-conversation-reader.js';
import { Retention } from './postgres/retention/retention.js';

export interface PipelineInfraOptions {
  /** Open and migrated; whoever opened it closes it, after the application. */
  database: Database;
  url: string;
  /** How many partitions a new database gets; one that has some keeps them. */
  partitions: number;
  pendingRecordsMax: number;
  /** `after-commit:17`: the process ends there. Crash tests only. */
  failPoint?: string | undefined;
  onTrouble: (what: string, error: unknown) => void;
}

const PORTS = [
  CommandLog,
  BatchCommit,
  Checkpoint,
  EventStream,
  MessageStore,
  Broadcast,
  Replies,
  PartitionLeases,
  ConversationReader,
  FailPoints,
];

/** The pipeline's ports in the embedded profile: one process, so the log, replies and broadcast are in memory. */
@Module({})
export class PipelineInfraModule {
  static async forRoot(options: PipelineInfraOptions): Promise<DynamicModule> {
    const { pool } = options.database;
    const leases = new PostgresPartitionLeases(pool);
    const partitions = await leases.ensurePartitions(options.partitions);
    const log = new MemoryCommandLog({ partitions, pendingRecordsMax: options.pendingRecordsMax });
    const connection = new CommitConnection(options.url);
    const commits = new CommitsUnderWay();
    const tails = new MessageTails();
    const commit = new PostgresBatchCommit(connection, commits);
    const views = new MemberViews();
    commit.onCommitted((batch) => {
      tails.follow(batch.messages);
      views.follow(batch);
    });
    commit.onUncertain(() => {
      tails.clear();
      views.clear();
    });
    const hub = new MemoryBroadcastHub((error) => options.onTrouble('A listener to live events failed', error));
    const retention = new Retention(pool, (error) => options.onTrouble('Old rows cannot be deleted', error));
    return {
      module: PipelineInfraModule,
      global: true,
      providers: [
        { provide: PartitionLeases, useValue: leases },
        { provide: CommandLog, useValue: log },
        { provide: BatchCommit, useValue: commit },
        { provide: Checkpoint, useFactory: () => new PostgresCheckpoint(pool) },
        { provide: EventStream, useFactory: () => new PostgresEventStream(pool) },
        { provide: MessageStore, useFactory: () => new PostgresMessageStore(pool, tails) },
        {
          provide: ConversationReader,
          useFactory: () => new PostgresConversationReader(options.database, views, commits),
        },
        { provide: Broadcast, useFactory: () => new MemoryBroadcast(hub) },
        { provide: Replies, useFactory: () => new MemoryReplies() },
        { provide: FailPoints, useFactory: () => failPointsOf(options.failPoint) },
        { provide: CommitConnection, useFactory: () => new ClosedWithApp(connection) },
        { provide: Retention, useFactory: () => new StartedWithApp(retention) },
      ],
      exports: PORTS,
    };
  }
}

function failPointsOf(text: string | undefined): FailPoints {
  if (text === undefined) return new NoFailPoints();
  const failPoints = KillAtFailPoint.parse(text);
  if (!failPoints) throw new Error(`FAIL_POINT is not a fail point with a count: ${text}`);
  return failPoints;
}

class ClosedWithApp {
  constructor(private readonly connection: CommitConnection) {}

  async onApplicationShutdown(): Promise<void> {
    await this.connection.close();
  }
}

class StartedWithApp {
  constructor(private readonly retention: Retention) {}

  onApplicationBootstrap(): void {
    this.retention.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.retention.stop();
  }
}
