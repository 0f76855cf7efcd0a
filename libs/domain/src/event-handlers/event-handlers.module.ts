import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { CommandLog } from '../ports/command-log.port.js';
import { EventStream } from '../ports/event-stream.port.js';
import { HandlerMetrics } from '../ports/handler-metrics.port.js';
import { HandlerProgress } from '../ports/handler-progress.port.js';
import type { DurableEventHandler } from './durable-event-handler.js';
import { EventHandlerRegistry } from './event-handler-registry.js';
import { EventHandlerRunner, type RunnerOptions } from './event-handler-runner.js';

/** Holds the registry; imported by whoever runs handlers or registers them. */
@Module({ providers: [EventHandlerRegistry], exports: [EventHandlerRegistry] })
export class EventHandlerRegistryModule {}

const REGISTERED = Symbol('registered event handlers');

class HandlerRegistration implements OnModuleInit {
  constructor(
    private readonly registry: EventHandlerRegistry,
    private readonly handlers: readonly DurableEventHandler[],
  ) {}

  onModuleInit(): void {
    for (const handler of this.handlers) this.registry.add(handler);
  }
}

/** `EventHandlerModule.register([Webhooks], [HttpModule])`: what a module of your own imports to have its handlers run. */
@Module({})
export class EventHandlerModule {
  /** Handlers are made by the container, so they may inject what `imports` exports. */
  static register(
    handlers: readonly Type<DurableEventHandler>[],
    imports: NonNullable<ModuleMetadata['imports']> = [],
  ): DynamicModule {
    return {
      module: EventHandlerModule,
      imports: [EventHandlerRegistryModule, ...imports],
      providers: [
        ...handlers,
        {
          provide: REGISTERED,
          inject: [EventHandlerRegistry, ...handlers],
          useFactory: (registry: EventHandlerRegistry, ...made: DurableEventHandler[]) =>
            new HandlerRegistration(registry, made),
        },
      ],
      exports: [...handlers],
    };
  }
}

export type EventHandlersOptions = Pick<RunnerOptions, 'ownerId' | 'exclusive' | 'onTrouble'>;

const OPTIONS = Symbol('options of the event handlers');

/** Runs what is registered while the application does. */
@Injectable()
class EventHandlers implements OnApplicationBootstrap, OnModuleDestroy {
  private runners: EventHandlerRunner[] = [];

  constructor(
    @Inject(OPTIONS) private readonly options: EventHandlersOptions,
    @Inject(EventHandlerRegistry) private readonly registry: EventHandlerRegistry,
    @Inject(CommandLog) private readonly log: CommandLog,
    @Inject(EventStream) private readonly stream: EventStream,
    @Inject(HandlerProgress) private readonly progress: HandlerProgress,
    @Inject(HandlerMetrics) private readonly metrics: HandlerMetrics,
  ) {}

  onApplicationBootstrap(): void {
    const { stream, progress, metrics } = this;
    const options = { ...this.options, partitions: this.log.partitions };
    this.runners = this.registry
      .all()
      .map((handler) => new EventHandlerRunner({ handler, stream, progress, metrics }, options));
    for (const runner of this.runners) runner.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.stop()));
  }
}

/** For the process that has workers: runs every registered handler there. */
@Module({})
export class EventHandlersModule {
  static forRoot(options: EventHandlersOptions): DynamicModule {
    return {
      module: EventHandlersModule,
      imports: [EventHandlerRegistryModule],
      providers: [{ provide: OPTIONS, useValue: options }, EventHandlers],
    };
  }
}
