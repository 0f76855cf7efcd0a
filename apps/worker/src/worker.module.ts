import { type DynamicModule, Inject, Injectable, Module } from '@nestjs/common';
import {
  BatchCommit,
  Broadcast,
  Checkpoint,
  CommandLog,
  EventHandlersModule,
  EventStream,
  FailPoints,
  MessageReappender,
  MessageStore,
  PartitionLeases,
  PartitionOwner,
  PartitionRunner,
  PipelineMetrics,
  Replies,
  StoreRecovery,
} from '@parley/domain';
import { CommandLogServer } from './command-log-server.js';
import { PipelineController } from './pipeline.controller.js';

export interface WorkerOptions {
  /** Unique for each process. */
  ownerId: string;
  /** A process lock keeps other owners out. */
  exclusive: boolean;
  onTrouble: (what: string, error: unknown) => void;
  /** Told once no owner may go on: the log has lost records. */
  onLost?: (error: Error) => void;
  /** How far back a message store that lost a node is not trusted; 0, and without it: it is. */
  reappendWindowMs?: number;
  onReport?: (what: string, figures: object) => void;
}

/** A third of what a worker decides at its busiest, so that a store that has just come back is not overrun. */
const REAPPENDED_EVENTS_PER_SECOND_MAX = 4_000;

const OWNER_PORTS = [
  CommandLog,
  BatchCommit,
  Checkpoint,
  EventStream,
  MessageStore,
  Broadcast,
  Replies,
  PipelineMetrics,
  FailPoints,
];

type OwnerPorts = [
  CommandLog,
  BatchCommit,
  Checkpoint,
  EventStream,
  MessageStore,
  Broadcast,
  Replies,
  PipelineMetrics,
  FailPoints,
];

type RecoveryParts = [EventStream, MessageStore, Checkpoint, PipelineMetrics, PartitionRunner];

function recoveryOf(
  [stream, store, checkpoint, metrics, runner]: RecoveryParts,
  options: WorkerOptions,
): StoreRecovery {
  const { reappendWindowMs = 0, onReport, onTrouble } = options;
  const reappender = new MessageReappender({ stream, store, checkpoint }, REAPPENDED_EVENTS_PER_SECOND_MAX);
  return new StoreRecovery({ store, checkpoint, metrics, owned: () => runner.owned() }, reappender, {
    windowMs: reappendWindowMs,
    onTrouble,
    ...(onReport && { onReport }),
  });
}

/** Watches the message store while the application runs. */
@Injectable()
class RecoveryWithApp {
  constructor(@Inject(StoreRecovery) private readonly recovery: StoreRecovery) {}

  onApplicationBootstrap(): void {
    this.recovery.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.recovery.stop();
  }
}

/** Owners of partitions, and the durable event handlers. The ports come from the profile's global module. */
@Module({})
export class WorkerModule {
  static forRoot(options: WorkerOptions): DynamicModule {
    const { ownerId, exclusive, onTrouble, onLost } = options;
    return {
      module: WorkerModule,
      imports: [EventHandlersModule.forRoot({ ownerId, exclusive, onTrouble })],
      controllers: [PipelineController],
      providers: [
        {
          provide: PartitionOwner,
          inject: OWNER_PORTS,
          useFactory: (...ports: OwnerPorts) => {
            const [log, commit, checkpoint, stream, store, broadcast, replies, metrics, failPoints] = ports;
            const all = { log, commit, checkpoint, stream, store, broadcast, replies, metrics };
            return new PartitionOwner(all, { failPoints, onTrouble });
          },
        },
        {
          provide: PartitionRunner,
          inject: [PartitionOwner, PartitionLeases, CommandLog],
          useFactory: (owner: PartitionOwner, leases: PartitionLeases, log: CommandLog) =>
            new PartitionRunner(owner, leases, { ownerId, partitions: log.partitions, exclusive, onTrouble }),
        },
        {
          provide: CommandLogServer,
          inject: [CommandLog, PartitionRunner],
          useFactory: (log: CommandLog, runner: PartitionRunner) => new CommandLogServer(log, runner, onLost),
        },
        {
          provide: StoreRecovery,
          inject: [EventStream, MessageStore, Checkpoint, PipelineMetrics, PartitionRunner],
          useFactory: (...parts: RecoveryParts) => recoveryOf(parts, options),
        },
        RecoveryWithApp,
      ],
      exports: [CommandLogServer, PartitionRunner],
    };
  }
}
