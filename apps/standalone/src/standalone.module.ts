import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { UnlimitedRateLimiter } from '@parley/domain';
import {
  AccountsInfraModule,
  MemoryRateLimiter,
  OperationsInfraModule,
  type ConfigWithSecret,
  type Database,
  type OperationsInfraOptions,
} from '@parley/infra';
import { ApiModule } from '../../api/src/api.module.js';

export interface StandaloneOptions extends OperationsInfraOptions {
  config: ConfigWithSecret;
  /** Open and migrated. Whoever opened it closes it, after the application. */
  database: Database;
}

/** Every door, the pipeline and the adapters of the embedded profile in one process. */
@Module({})
export class StandaloneModule {
  static forRoot(options: StandaloneOptions): DynamicModule {
    const { config, database, logger } = options;
    const { rateLimits } = config;
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
          onTrouble: (what, error) => logger.warn({ err: error }, what),
        }),
        ApiModule,
      ],
    };
  }
}
