import { type DynamicModule, Module } from '@nestjs/common';
import {
  BatchCommit,
  Broadcast,
  Checkpoint,
  CommandLog,
  ConversationReader,
  EventStream,
  FailPoints,
  GatewayRegistry,
  HandlerProgress,
  MessageStore,
  NoFailPoints,
  PartitionLeases,
  Replies,
  SessionRegistry,
} from '@parley/domain';
import { KillAtFailPoint } from './faults/kill-at-fail-point.js';
import type { PipelineAdapters } from './pipeline-adapters.js';
import type { Database } from './postgres/database.js';
import { PostgresHandlerProgress } from './postgres/event-handlers/postgres-handler-progress.js';
import { Retention } from './postgres/retention/retention.js';

export interface PipelineInfraOptions {
  /** Open; closed with the application. */
  adapters: PipelineAdapters;
  /** Open and migrated; whoever opened it closes it, after the application. */
  database: Database;
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
  SessionRegistry,
  GatewayRegistry,
  PartitionLeases,
  ConversationReader,
  FailPoints,
  HandlerProgress,
];

/** The pipeline's ports for every module of the process, on the engines that were chosen. */
@Module({})
export class PipelineInfraModule {
  static forRoot({ adapters, database, failPoint, onTrouble }: PipelineInfraOptions): DynamicModule {
    const retention = new Retention(database.pool, (error) => onTrouble('Old rows cannot be deleted', error));
    return {
      module: PipelineInfraModule,
      global: true,
      providers: [
        { provide: PartitionLeases, useValue: adapters.leases },
        { provide: CommandLog, useValue: adapters.log },
        { provide: BatchCommit, useValue: adapters.commit },
        { provide: Checkpoint, useValue: adapters.checkpoint },
        { provide: EventStream, useValue: adapters.stream },
        { provide: MessageStore, useValue: adapters.store },
        { provide: ConversationReader, useValue: adapters.reader },
        { provide: Broadcast, useValue: adapters.broadcast },
        { provide: Replies, useValue: adapters.replies },
        { provide: SessionRegistry, useValue: adapters.sessions },
        { provide: GatewayRegistry, useValue: adapters.gateways },
        { provide: HandlerProgress, useFactory: () => new PostgresHandlerProgress(database.pool) },
        { provide: FailPoints, useFactory: () => failPointsOf(failPoint) },
        { provide: Retention, useFactory: () => new KeptWithApp(retention, adapters) },
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

/** Deletes old rows while the application runs, and closes the adapters after it. */
class KeptWithApp {
  constructor(
    private readonly retention: Retention,
    private readonly adapters: PipelineAdapters,
  ) {}

  onApplicationBootstrap(): void {
    this.retention.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.retention.stop();
    await this.adapters.close();
  }
}
