import type { DynamicModule } from '@nestjs/common';
import { UnlimitedRateLimiter } from '@parley/domain';
import { AccountsInfraModule } from './accounts-infra.module.js';
import type { ConfigWithSecret } from './config/kept-secret.js';
import type { OperationsInfraOptions } from './operations-infra.module.js';
import type { PipelineAdapters } from './pipeline-adapters.js';
import type { Database } from './postgres/database.js';

/** What a process has opened before its modules are made. */
export interface ProcessParts extends OperationsInfraOptions {
  config: ConfigWithSecret;
  /** Open and migrated. Whoever opened it closes it, after the application. */
  database: Database;
  /** Open; the application closes them when it ends. */
  adapters: PipelineAdapters;
  onTrouble: (what: string, error: unknown) => void;
  /** What the process cannot work without is gone: it ends. */
  onLost?: ((error: Error) => void) | undefined;
}

/** Accounts and sessions, with the limits that are configured. */
export function accountsInfra({ config, database, adapters, onTrouble }: ProcessParts): DynamicModule {
  const { rateLimits } = config;
  return AccountsInfraModule.forRoot({
    database,
    auth: config.auth,
    loginLimits: {
      perAccountAndAddress: rateLimits.failedLoginsPerAccount,
      perAddress: rateLimits.failedLoginsPerAddress,
    },
    rateLimiter: rateLimits.mode === 'off' ? new UnlimitedRateLimiter() : adapters.rateLimiter,
    onTrouble,
  });
}
