import { randomUUID } from 'node:crypto';
import { type DynamicModule, Module } from '@nestjs/common';
import { CommandLog, PartitionRunner } from '@parley/domain';
import {
  answerHealth,
  type AppConfig,
  CLOSE_TIMEOUT_MS,
  clusterBootstrap,
  MediaInfraModule,
  OperationsInfraModule,
  PipelineInfraModule,
  type ProcessParts,
  PushInfraModule,
  runProcess,
  type Tracing,
} from '@parley/infra';
import { CommandLogServer } from './command-log-server.js';
import { WorkerModule } from './worker.module.js';

/** Owners of partitions as a process of its own. */
@Module({})
export class WorkerProcessModule {
  static forRoot(parts: ProcessParts): DynamicModule {
    const { config, adapters, database, logger, onTrouble, onLost } = parts;
    const onReport = (what: string, figures: object): void => logger.info(figures, what);
    const reappendWindowMs = config.cassandra.reappendSeconds * 1_000;
    return {
      module: WorkerProcessModule,
      imports: [
        OperationsInfraModule.forRoot(parts),
        MediaInfraModule.records({ database, jwtSecret: config.auth.jwtSecret }),
        MediaInfraModule.files(parts),
        MediaInfraModule.work(parts),
        PipelineInfraModule.forRoot({ adapters, database, failPoint: config.faults.failPoint, onTrouble }),
        PushInfraModule.forRoot(parts),
        WorkerModule.forRoot({
          ownerId: randomUUID(),
          exclusive: false,
          onTrouble,
          onReport,
          reappendWindowMs,
          ...(onLost && { onLost }),
        }),
      ],
    };
  }
}

export function runWorker(config: AppConfig, tracing: Tracing | undefined): Promise<void> {
  const bootstrap = clusterBootstrap({
    name: 'worker',
    module: (parts) => WorkerProcessModule.forRoot(parts),
    prepare: async (app, parts) => {
      answerHealth(app, parts);
      const server = app.get(CommandLogServer, { strict: false });
      const runner = app.get(PartitionRunner, { strict: false });
      const log = app.get(CommandLog, { strict: false });
      parts.shutdown.at('stop_pipeline', 'pipeline', CLOSE_TIMEOUT_MS, () => server.close());
      parts.metrics.watchLogLag(() => log.lag());
      parts.metrics.watchPartitionLags(() => runner.lags(log.ends()));
      // Until the others have given this one its share, or after one of them ended, commands may wait for a moment.
      parts.health.watch('partitions', () => {
        if (runner.owned().size < runner.share()) throw new Error('Partitions of this process are not taken yet.');
      });
      app.connectMicroservice({ strategy: server });
      await app.startAllMicroservices();
    },
  });
  return runProcess(config, tracing, bootstrap);
}
