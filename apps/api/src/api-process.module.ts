import { type DynamicModule, Module } from '@nestjs/common';
import {
  type AppConfig,
  clusterBootstrap,
  commandSide,
  drainRequests,
  finishCommandsInOrder,
  MediaInfraModule,
  observeRequests,
  type ProcessParts,
  REQUEST_ID_OPTIONS,
  runProcess,
  type Tracing,
} from '@parley/infra';
import { ApiModule } from './api.module.js';
import { configureHttp } from './http/configure-http.js';
import { createHttpAdapter } from './http/http-adapter.js';

/** The REST door as a process of its own. */
@Module({})
export class ApiProcessModule {
  static forRoot(parts: ProcessParts): DynamicModule {
    return { module: ApiProcessModule, imports: [...commandSide(parts), MediaInfraModule.files(parts), ApiModule] };
  }
}

export function runApi(config: AppConfig, tracing: Tracing | undefined): Promise<void> {
  const bootstrap = clusterBootstrap({
    name: 'api',
    module: (parts) => ApiProcessModule.forRoot(parts),
    httpAdapter: ({ http }) =>
      createHttpAdapter({ trustProxy: http.trustProxy, requestId: REQUEST_ID_OPTIONS.genReqId }),
    prepare: (app, parts) => {
      const fastify = app.getHttpAdapter().getInstance();
      observeRequests(fastify, parts.metrics, parts.logger);
      const { drainTimeoutMs } = parts.config.shutdown;
      parts.shutdown.at('stop_accepting', 'requests', drainTimeoutMs, drainRequests(fastify));
      configureHttp(app);
      finishCommandsInOrder(app, parts);
    },
  });
  return runProcess(config, tracing, bootstrap);
}
