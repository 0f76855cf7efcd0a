import { type DynamicModule, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  EventHandlerModule,
  PushEventHandler,
  type PushMetrics,
  PushOutbox,
  type PushProvider,
  PushSender,
  UnlimitedRateLimiter,
} from '@parley/domain';
import { PostgresPushOutbox } from './postgres/push/postgres-push-outbox.js';
import type { ProcessParts } from './process-parts.js';
import { pushKeysOf } from './push/push-keys.js';

export type PushInfraOptions = Pick<ProcessParts, 'config' | 'database' | 'adapters' | 'onTrouble'> & {
  metrics: PushMetrics;
};

const PROVIDERS = Symbol('push providers');

/** The providers, and the outbox for those alone. */
@Module({})
class PushOutboxModule {
  static forRoot({ config, database }: PushInfraOptions): DynamicModule {
    return {
      module: PushOutboxModule,
      providers: [
        {
          provide: PROVIDERS,
          useFactory: async () => {
            const { openPushProviders } = await import('./push/push-providers.js');
            return openPushProviders(config.push, pushKeysOf(config));
          },
        },
        {
          provide: PushOutbox,
          inject: [PROVIDERS],
          useFactory: (providers: PushProvider[]) =>
            new PostgresPushOutbox(database.pool, {
              previews: config.push.preview === 'on',
              providers: providers.map(({ name }) => name),
            }),
        },
      ],
      exports: [PROVIDERS, PushOutbox],
    };
  }
}

/** Sends while the application runs. */
class PushSending implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(private readonly sender: PushSender) {}

  onApplicationBootstrap(): void {
    this.sender.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.sender.stop();
  }
}

/** Pushing, in the processes that have workers: a durable event handler, as other teams make theirs, and its sender. */
@Module({})
export class PushInfraModule {
  static forRoot(options: PushInfraOptions): DynamicModule {
    const { config, adapters, metrics, onTrouble } = options;
    const outbox = PushOutboxModule.forRoot(options);
    const limiter = config.rateLimits.mode === 'off' ? new UnlimitedRateLimiter() : adapters.rateLimiter;
    return {
      module: PushInfraModule,
      imports: [outbox, EventHandlerModule.register([PushEventHandler], [outbox])],
      providers: [
        {
          provide: PushSending,
          inject: [PushOutbox, PROVIDERS],
          useFactory: (to: PushOutbox, providers: PushProvider[]) =>
            new PushSending(
              new PushSender({ outbox: to, providers, limiter, metrics }, { perUser: config.push.perUser, onTrouble }),
            ),
        },
      ],
    };
  }
}
