import { type DynamicModule, Module } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  answerHealth,
  type AppConfig,
  clusterBootstrap,
  commandSide,
  finishCommandsInOrder,
  isSocketUpgrade,
  type ProcessParts,
  runProcess,
  type Tracing,
} from '@parley/infra';
import { GatewayAnnouncer } from './connections/gateway-announcer.js';
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
    httpAdapter: () => new FastifyAdapter({ http: { shouldUpgradeCallback: isSocketUpgrade } }),
    prepare: (app, parts) => {
      answerHealth(app, parts);
      useSockets(app);
      const { drainTimeoutMs } = parts.config.shutdown;
      const drain = app.get(GatewayDrain, { strict: false });
      parts.shutdown.at('stop_accepting', 'sockets', drainTimeoutMs, () => drain.drain(drainTimeoutMs));
      finishCommandsInOrder(app, parts);
    },
    serving: (app, { config: { http, gateways }, logger }, ownUrl) => {
      const url = gateways.url ?? ownUrl;
      if (gateways.url === undefined && http.publicUrl === undefined && isEveryAddress(http.host)) {
        // An address of this machine alone would send clients into the void.
        logger.warn(
          'No client is sent here by GET /v1/connect: neither GATEWAY_URL nor PUBLIC_URL says where this is.',
        );
        return;
      }
      app.get(GatewayAnnouncer, { strict: false }).start({ url, region: gateways.region ?? null });
    },
  });
  return runProcess(config, tracing, bootstrap);
}

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
