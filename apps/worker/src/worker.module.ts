import { type DynamicModule, Module } from '@nestjs/common';
import {
  BatchCommit,
  Broadcast,
  Checkpoint,
  CommandLog,
  EventHandlersModule,
  EventStream,
  FailPoints,
  MessageStore,
  PartitionLeases,
  PartitionOwner,
  PartitionRunner,
  PipelineMetrics,
  Replies,
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
}

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

/** Owners of partitions, and the durable event handlers. The ports come from the profile's global module. */
@Module({})
export class WorkerModule {
  static forRoot({ ownerId, exclusive, onTrouble, onLost }: WorkerOptions): DynamicModule {
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
      ],
      exports: [CommandLogServer, PartitionRunner],
    };
  }
}
