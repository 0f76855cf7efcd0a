import { Module } from '@nestjs/common';
import { APP_CONFIG, isLoopbackHost, Metrics, type AppConfig } from '@parley/infra';
import { HealthController } from './health.controller.js';
import { MetricsPage } from './metrics-page.js';
import { MetricsController } from './metrics.controller.js';

/** Health for whoever asks; figures for this machine while the server listens on a loopback address. */
@Module({
  controllers: [HealthController, MetricsController],
  providers: [
    {
      provide: MetricsPage,
      inject: [APP_CONFIG, Metrics],
      useFactory: (config: AppConfig, metrics: Metrics): MetricsPage => ({
        shown: isLoopbackHost(config.http.host),
        contentType: metrics.contentType,
        text: () => metrics.text(),
      }),
    },
  ],
})
export class HealthModule {}
