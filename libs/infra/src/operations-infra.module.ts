import { type DynamicModule, Module } from '@nestjs/common';
import { DoorMetrics, HandlerMetrics, Health, PipelineMetrics } from '@parley/domain';
import type { AppConfig } from './config/configuration.js';
import { APP_CONFIG } from './config/load-configuration.js';
import { Shutdown } from './lifecycle/shutdown.js';
import { HealthChecks } from './telemetry/health-checks.js';
import { LOGGER, type Logger } from './telemetry/logging.js';
import { Metrics } from './telemetry/metrics.js';

export interface OperationsInfraOptions {
  config: AppConfig;
  logger: Logger;
  metrics: Metrics;
  /** Modules register the parts that they need to be ready. */
  health: HealthChecks;
  /** Modules add the steps that close what they opened. */
  shutdown: Shutdown;
}

/** Configuration, log, figures, health and the end of the process, for every module of the process. */
@Module({})
export class OperationsInfraModule {
  static forRoot({ config, logger, metrics, health, shutdown }: OperationsInfraOptions): DynamicModule {
    const providers = [
      { provide: APP_CONFIG, useValue: config },
      { provide: LOGGER, useValue: logger },
      { provide: Metrics, useValue: metrics },
      { provide: PipelineMetrics, useValue: metrics },
      { provide: DoorMetrics, useValue: metrics },
      { provide: HandlerMetrics, useValue: metrics },
      { provide: HealthChecks, useValue: health },
      { provide: Health, useValue: health },
      { provide: Shutdown, useValue: shutdown },
    ];
    return {
      module: OperationsInfraModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
