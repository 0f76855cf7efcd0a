import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { CommandJournal, ReceiptFolder } from '@parley/domain';
import type { AppConfig } from './config/configuration.js';
import { withJwtSecret } from './config/kept-secret.js';
import { isLoopbackHost } from './config/loopback.js';
import { openPipelineAdapters } from './pipeline-adapters.js';
import { DatabaseLock } from './postgres/database-lock.js';
import { type Database, openDatabase } from './postgres/database.js';
import type { ProcessParts } from './process-parts.js';
import type { Bootstrap, ProcessDeps } from './run-process.js';
import { CLOSE_TIMEOUT_MS, serveOperations, tellTrouble, urlOf } from './serving.js';
import { HealthChecks } from './telemetry/health-checks.js';
import { NestLogger } from './telemetry/logging.js';
import { Metrics } from './telemetry/metrics.js';
import { traceBus } from './tracing/trace-command.js';

/** One kind of process of the cluster profile. */
export interface ClusterRole {
  name: 'api' | 'gateway' | 'worker';
  module: (parts: ProcessParts) => DynamicModule;
  /** Plain without it. */
  httpAdapter?: (config: AppConfig) => FastifyAdapter;
  /** Between the making of the application and its first request. */
  prepare: (app: NestFastifyApplication, parts: ProcessParts) => void | Promise<void>;
  /** From now on requests can come. `url`: where, as far as this process knows. */
  serving?: (app: NestFastifyApplication, parts: ProcessParts, url: string) => void;
}

/**
 * Starts a process of the cluster: database, engines, modules, port, in this order. The first one to come migrates the
 * database, the others wait for it.
 */
export function clusterBootstrap(role: ClusterRole): Bootstrap {
  return async (config, deps) => {
    try {
      return await start(role, config, deps);
    } catch (error) {
      await deps.shutdown.run(config.shutdown.crashTimeoutMs);
      throw error;
    }
  };
}

async function start(role: ClusterRole, config: AppConfig, deps: ProcessDeps): Promise<{ url: string }> {
  const { logger, shutdown, onLost } = deps;
  const metrics = new Metrics().withProcessFigures();
  const health = new HealthChecks();
  metrics.watchHealth(health);
  shutdown.at('stop_accepting', 'readiness', CLOSE_TIMEOUT_MS, () => health.drain());
  await serveOperations(config, { metrics, health, shutdown });
  const { database, databaseUrl } = await openSharedDatabase(config, deps);
  health.register('database', async () => {
    await database.pool.query('SELECT 1');
  });
  const onTrouble = tellTrouble(logger, metrics);
  const clientId = `parley-${role.name}`;
  const adapters = await openPipelineAdapters({ config, database, databaseUrl, alone: false, clientId, onTrouble });
  shutdown.at('close_engines', 'engines', CLOSE_TIMEOUT_MS, () => adapters.close());
  for (const { name, check } of adapters.engines) health.watch(name, check);
  metrics.logPartitions(adapters.log.partitions);

  const complete = withJwtSecret(config);
  const parts: ProcessParts = {
    config: complete,
    logger,
    metrics,
    health,
    shutdown,
    database,
    adapters,
    onTrouble,
    onLost,
  };
  const app = await NestFactory.create<NestFastifyApplication>(
    role.module(parts),
    role.httpAdapter?.(config) ?? new FastifyAdapter(),
    { logger: new NestLogger(logger), bodyParser: false, abortOnError: false },
  );
  shutdown.at('close_application', 'application', CLOSE_TIMEOUT_MS, () => app.close());
  if (deps.tracing && role.name !== 'worker') {
    for (const bus of [app.get(CommandBus), app.get(QueryBus)]) traceBus(bus);
  }
  await role.prepare(app, parts);
  await app.listen(config.http.port, config.http.host);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = urlOf(config, port);
  role.serving?.(app, parts, url);
  return { url };
}

/** The database of all processes; a server that works alone on it keeps them out, as they keep it out. */
async function openSharedDatabase(
  config: AppConfig,
  { logger, shutdown, onLost }: ProcessDeps,
): Promise<{ database: Database; databaseUrl: string }> {
  const { url, poolConnectionsMax } = config.database;
  if (url === undefined) throw new Error('PROFILE=cluster needs DATABASE_URL.');
  const lost = (error: Error): void => {
    logger.fatal({ err: error }, error.message);
    onLost(error);
  };
  const lock = await DatabaseLock.acquire(url, lost, true);
  shutdown.at('stop_postgres', 'lock of the database', CLOSE_TIMEOUT_MS, () => lock.release());
  const database = await openDatabase({
    url,
    poolSize: poolConnectionsMax,
    onPoolError: (error) => logger.warn({ err: error }, 'an idle database connection broke'),
  });
  shutdown.at('close_pools', 'database pools', CLOSE_TIMEOUT_MS, () => database.close());
  return { database, databaseUrl: url };
}

/** Health for whoever asks, for processes without the REST door; reasons and figures while only this machine can ask. */
export function answerHealth(app: NestFastifyApplication, { config, health, metrics }: ProcessParts): void {
  const fastify = app.getHttpAdapter().getInstance();
  const local = isLoopbackHost(config.http.host);
  const answerOf = (good: boolean, missing: readonly string[] = []): object => ({
    status: good ? 'ok' : 'unavailable',
    ...(local && missing.length > 0 && { missing }),
  });
  fastify.get('/health/live', async (_request, reply) => {
    const live = await health.live();
    return reply
      .code(live ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(answerOf(live));
  });
  fastify.get('/health/ready', async (_request, reply) => {
    const { ready, missing } = await health.readiness();
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(answerOf(ready, missing));
  });
  if (!local) return;
  fastify.get('/metrics', async (_request, reply) =>
    reply
      .header('content-type', metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.text()),
  );
}

/** For processes that send commands: what is gathered is appended, and what is under way is answered, before they end. */
export function finishCommandsInOrder(app: NestFastifyApplication, { config, shutdown }: ProcessParts): void {
  const [journal, receipts] = [app.get(CommandJournal), app.get(ReceiptFolder)];
  shutdown.at('flush_receipts', 'receipts', CLOSE_TIMEOUT_MS, () => receipts.flush());
  shutdown.at('finish_commands', 'commands', config.shutdown.drainTimeoutMs, () => journal.drained());
}
