import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { MessagingModule } from '@parley/domain';
import {
  accountsInfra,
  answerHealth,
  type AppConfig,
  clusterBootstrap,
  domainLimits,
  finishCommandsInOrder,
  OperationsInfraModule,
  PipelineInfraModule,
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
    const { config, adapters, database, onTrouble } = parts;
    return {
      module: GatewayProcessModule,
      imports: [
        OperationsInfraModule.forRoot(parts),
        CqrsModule.forRoot(),
        accountsInfra(parts),
        PipelineInfraModule.forRoot({ adapters, database, onTrouble }),
        MessagingModule.forRoot(domainLimits(config)),
        GatewayModule,
      ],
    };
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
