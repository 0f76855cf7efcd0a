import type { DynamicModule, ModuleMetadata } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { MessagingModule, UnlimitedRateLimiter } from '@parley/domain';
import { AccountsInfraModule } from './accounts-infra.module.js';
import type { ConfigWithSecret } from './config/kept-secret.js';
import { domainLimits } from './domain-limits.js';
import { MediaInfraModule } from './media-infra.module.js';
import { OperationsInfraModule, type OperationsInfraOptions } from './operations-infra.module.js';
import type { PipelineAdapters } from './pipeline-adapters.js';
import { PipelineInfraModule } from './pipeline-infra.module.js';
import type { Database } from './postgres/database.js';
import { pushKeysOf } from './push/push-keys.js';

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
function accountsInfra({ config, database, adapters, onTrouble }: ProcessParts): DynamicModule {
  const { rateLimits } = config;
  return AccountsInfraModule.forRoot({
    database,
    auth: config.auth,
    loginLimits: {
      perAccountAndAddress: rateLimits.failedLoginsPerAccount,
      perAddress: rateLimits.failedLoginsPerAddress,
    },
    push: pushKeysOf(config),
    rateLimiter: rateLimits.mode === 'off' ? new UnlimitedRateLimiter() : adapters.rateLimiter,
    onTrouble,
  });
}

export interface CommandSideOptions {
  /** Where a process that owns partitions kills itself; crash tests only. */
  failPoint?: string | undefined;
  /** How long the state of a block is believed. */
  blockStateMs?: number;
}

/** What every process that takes commands is made of, beside its doors. */
export function commandSide(
  parts: ProcessParts,
  { failPoint, blockStateMs }: CommandSideOptions = {},
): NonNullable<ModuleMetadata['imports']> {
  const { config, adapters, database, onTrouble } = parts;
  return [
    OperationsInfraModule.forRoot(parts),
    CqrsModule.forRoot(),
    accountsInfra(parts),
    PipelineInfraModule.forRoot({ adapters, database, failPoint, onTrouble }),
    MediaInfraModule.records({ database, jwtSecret: config.auth.jwtSecret }),
    MessagingModule.forRoot(domainLimits(config, blockStateMs)),
  ];
}
