import { randomUUID } from 'node:crypto';
import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { DOMAIN_LIMITS_DEFAULT, type DomainLimits, MessagingModule, UnlimitedRateLimiter } from '@parley/domain';
import {
  AccountsInfraModule,
  type AppConfig,
  type ConfigWithSecret,
  type Database,
  MemoryRateLimiter,
  OperationsInfraModule,
  type OperationsInfraOptions,
  PipelineInfraModule,
} from '@parley/infra';
import { ApiModule } from '../../api/src/api.module.js';
import { GatewayModule } from '../../gateway/src/gateway.module.js';
import { WorkerModule } from '../../worker/src/worker.module.js';

export interface StandaloneOptions extends OperationsInfraOptions {
  config: ConfigWithSecret;
  /** Open and migrated. Whoever opened it closes it, after the application. */
  database: Database;
  /** Where that database is, for the connection that commits. */
  databaseUrl: string;
}

const BLOCK_STATE_MS = 10 * 60_000;

/** Every door, the pipeline and the adapters of the embedded profile in one process. */
@Module({})
export class StandaloneModule {
  static forRoot(options: StandaloneOptions): DynamicModule {
    const { config, database, databaseUrl, logger } = options;
    const { rateLimits, pipeline, faults } = config;
    const onTrouble = (what: string, error: unknown): void => logger.warn({ err: error }, what);
    return {
      module: StandaloneModule,
      imports: [
        OperationsInfraModule.forRoot(options),
        CqrsModule.forRoot(),
        AccountsInfraModule.forRoot({
          database,
          auth: config.auth,
          loginLimits: {
            perAccountAndAddress: rateLimits.failedLoginsPerAccount,
            perAddress: rateLimits.failedLoginsPerAddress,
          },
          rateLimiter: rateLimits.mode === 'off' ? new UnlimitedRateLimiter() : new MemoryRateLimiter(),
          onTrouble,
        }),
        PipelineInfraModule.forRoot({
          database,
          url: databaseUrl,
          partitions: pipeline.partitions,
          pendingRecordsMax: pipeline.commandsInFlightMax,
          failPoint: faults.failPoint,
          onTrouble,
        }),
        MessagingModule.forRoot(domainLimits(config)),
        // The lock of the data folder, or of the database, keeps other owners out.
        WorkerModule.forRoot({ ownerId: randomUUID(), exclusive: true, onTrouble }),
        ApiModule,
        GatewayModule,
      ],
    };
  }
}

function domainLimits({ rateLimits, groups, pipeline }: AppConfig): DomainLimits {
  return {
    ...DOMAIN_LIMITS_DEFAULT,
    sendsPerUserInConversation: rateLimits.sendsPerUserInConversation,
    sendsPerUser: rateLimits.sendsPerUser,
    sendsPerConversation: rateLimits.sendsPerConversation,
    groupMembersMax: groups.membersMax,
    sendWaitMs: pipeline.sendWaitMs,
    commandsInFlightMax: pipeline.commandsInFlightMax,
    receiptWindowMs: pipeline.receiptWindowMs,
    // This process makes every change of a block itself, so it forgets only to stay small.
    blockStateMs: BLOCK_STATE_MS,
  };
}
