import { type DynamicModule, Module } from '@nestjs/common';
import {
  answerHealth,
  type AppConfig,
  clusterBootstrap,
  commandSide,
  finishCommandsInOrder,
  type ProcessParts,
  runProcess,
  type Tracing,
} from '@parley/infra';
import { GatewayDrain } from './connections/gateway-drain.js';
import { GatewayModule, useSockets } from './gateway.module.js';

/** The socket door as a process of its own. */
@Module({})
export class GatewayProcessModule {
  static forRoot(parts: ProcessParts): DynamicModule {
    return { module: GatewayProcessModule, imports: [...commandSide(parts), GatewayModule] };
  }
}

export function runGateway(config: AppConfig, tracing: Tracing | undefined): Promise<void> {
  const bootstrap = clusterBootstrap({
    name: 'gateway',
    module: (parts) => GatewayProcessModule.forRoot(parts),
    prepare: (app, parts) => {
      answerHealth(app, parts);
      useSockets(app);
      const { drainTimeoutMs } = parts.config.shutdown;
      const drain = app.get(GatewayDrain, { strict: false });
      parts.shutdown.at('stop_accepting', 'sockets', drainTimeoutMs, () => drain.drain(drainTimeoutMs));
      finishCommandsInOrder(app, parts);
    },
  });
  return runProcess(config, tracing, bootstrap);
}
