import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { NestFactory } from '@nestjs/core';
import { CommandJournal, CommandLog, PartitionRunner, ReceiptFolder } from '@parley/domain';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  CLOSE_TIMEOUT_MS,
  DatabaseLock,
  DataDirLock,
  drainRequests,
  HealthChecks,
  isSocketUpgrade,
  Metrics,
  NestLogger,
  observeRequests,
  openDatabase,
  openPipelineAdapters,
  REQUEST_ID_OPTIONS,
  serveOperations,
  Shutdown,
  startSupervisedPostgres,
  tellTrouble,
  traceBus,
  urlOf,
  withJwtSecret,
  type AppConfig,
  type ConfigWithSecret,
  type Database,
  type Logger,
  type ShutdownReport,
} from '@parley/infra';
import { GatewayDrain } from '../../gateway/src/connections/gateway-drain.js';
import { useSockets } from '../../gateway/src/gateway.module.js';
import { CommandLogServer } from '../../worker/src/command-log-server.js';
import { configureHttp } from '../../api/src/http/configure-http.js';
import { createHttpAdapter } from '../../api/src/http/http-adapter.js';
import { StandaloneModule } from './standalone.module.js';

const STOP_POSTGRES_TIMEOUT_MS = 12_000;

export interface StandaloneDeps {
  readonly logger: Logger;
  /** Steps are added to it as things are opened; the caller may run it, also while this is still starting. */
  readonly shutdown?: Shutdown;
  /** What the process cannot work without is gone. */
  readonly onLost?: (error: Error) => void;
  /** True when a collector is configured: commands and queries get a span each. */
  readonly tracing?: boolean;
  /** False gives up durability of the bundled server; for tests alone. */
  readonly fsync?: boolean;
}

interface OpenStore {
  database: Database;
  databaseUrl: string;
}

export interface Standalone {
  /** Where clients reach it: PUBLIC_URL, or the address it listens on. */
  readonly url: string;
  readonly port: number;
  /** The port that METRICS_PORT asked for, if it did. */
  readonly metricsPort: number | undefined;
  readonly app: NestFastifyApplication;
  readonly metrics: Metrics;
  /** Stops everything in order; never rejects. */
  close(): Promise<ShutdownReport>;
}

/**
 * Starts everything of the embedded profile in this process: data folder, database, modules, doors, in this order.
 * @throws what the part throws that cannot start; everything that was started before it is stopped again by then
 */
export async function bootstrapStandalone(config: AppConfig, deps: StandaloneDeps): Promise<Standalone> {
  const shutdown = deps.shutdown ?? new Shutdown(deps.logger);
  try {
    return await start(config, deps, shutdown);
  } catch (error) {
    await shutdown.run(config.shutdown.crashTimeoutMs);
    throw error;
  }
}

async function start(config: AppConfig, deps: StandaloneDeps, shutdown: Shutdown): Promise<Standalone> {
  const { logger } = deps;
  const metrics = new Metrics().withProcessFigures();
  const health = new HealthChecks();
  metrics.watchHealth(health);
  shutdown.at('stop_accepting', 'readiness', CLOSE_TIMEOUT_MS, () => health.drain());

  const metricsPort = await serveOperations(config, { metrics, health, shutdown });
  const { database, databaseUrl } = await openStore(config, deps, shutdown);
  health.register('database', async () => {
    await database.pool.query('SELECT 1');
  });

  const onTrouble = tellTrouble(logger, metrics);
  // The lock of the data folder, or of the database, is held: nobody else commits.
  const adapters = await openPipelineAdapters({
    config,
    database,
    databaseUrl,
    alone: true,
    clientId: 'parley',
    onTrouble,
  });
  shutdown.at('close_engines', 'engines', CLOSE_TIMEOUT_MS, () => adapters.close());
  for (const { name, check } of adapters.engines) health.watch(name, check);
  metrics.logPartitions(adapters.log.partitions);
  // After the lock of the data folder was taken: the secret lives in it.
  const complete: ConfigWithSecret = withJwtSecret(config);
  const app = await NestFactory.create<NestFastifyApplication>(
    StandaloneModule.forRoot({
      config: complete,
      database,
      adapters,
      logger,
      metrics,
      health,
      shutdown,
      onTrouble,
      onLost: deps.onLost,
    }),
    httpAdapterOf(config),
    { logger: new NestLogger(logger), bodyParser: false, abortOnError: false },
  );
  shutdown.at('close_application', 'application', CLOSE_TIMEOUT_MS, () => app.close());
  const fastify = app.getHttpAdapter().getInstance();
  observeRequests(fastify, metrics, logger);
  const drain = drainRequests(fastify);
  configureHttp(app);
  useSockets(app);
  if (deps.tracing) for (const bus of [app.get(CommandBus), app.get(QueryBus)]) traceBus(bus);

  app.connectMicroservice({ strategy: app.get(CommandLogServer) });
  closePipelineInOrder(app, config, shutdown);
  watchPipeline(app, { metrics, health });
  await app.startAllMicroservices();
  await app.listen(config.http.port, config.http.host);
  shutdown.at('stop_accepting', 'requests', config.shutdown.drainTimeoutMs, drain);

  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    url: urlOf(config, port),
    port,
    metricsPort,
    app,
    metrics,
    close: () => shutdown.run(config.shutdown.timeoutMs),
  };
}

function httpAdapterOf({ http: { trustProxy } }: AppConfig): FastifyAdapter {
  return createHttpAdapter({ trustProxy, requestId: REQUEST_ID_OPTIONS.genReqId, shouldUpgrade: isSocketUpgrade });
}

/** Ready once this process owns every partition: until then a command would wait for an owner that is not there. */
function watchPipeline(app: NestFastifyApplication, parts: { metrics: Metrics; health: HealthChecks }): void {
  const log = app.get(CommandLog, { strict: false });
  const runner = app.get(PartitionRunner, { strict: false });
  parts.metrics.watchLogLag(() => log.lag());
  parts.metrics.watchPartitionLags(() => runner.lags(log.ends()));
  parts.health.register('pipeline', () => {
    if (runner.owned().size < log.partitions) throw new Error('Not every partition has its owner here.');
  });
}

/** Sockets are told first; then receipts that are still folded, then the commands in flight; then the owner stops. */
function closePipelineInOrder(app: NestFastifyApplication, config: AppConfig, shutdown: Shutdown): void {
  const { drainTimeoutMs } = config.shutdown;
  const gateway = app.get(GatewayDrain, { strict: false });
  const receipts = app.get(ReceiptFolder);
  shutdown.at('stop_accepting', 'sockets', drainTimeoutMs, () => gateway.drain(drainTimeoutMs));
  shutdown.at('flush_receipts', 'receipts', CLOSE_TIMEOUT_MS, () => receipts.flush());
  shutdown.at('finish_commands', 'commands', drainTimeoutMs, () => app.get(CommandJournal).drained());
  shutdown.at('stop_pipeline', 'pipeline', CLOSE_TIMEOUT_MS, () => app.get(CommandLogServer).close());
}

/** The given database, or the bundled one under the lock of the data folder; open, with its schema up to date. */
async function openStore(config: AppConfig, deps: StandaloneDeps, shutdown: Shutdown): Promise<OpenStore> {
  const { logger } = deps;
  const given = config.database.url;
  const databaseUrl = given ?? (await startBundledPostgres(config, deps, shutdown));
  if (given !== undefined) await lockDatabase(given, deps, shutdown);
  const database = await openDatabase({
    url: databaseUrl,
    poolSize: config.database.poolConnectionsMax,
    onPoolError: (error) => logger.warn({ err: error }, 'an idle database connection broke'),
  });
  shutdown.at('close_pools', 'database pools', CLOSE_TIMEOUT_MS, () => database.close());
  return { database, databaseUrl };
}

/** A database of the user's own has no data folder whose lock would keep a second server out. */
async function lockDatabase(url: string, { logger, onLost }: StandaloneDeps, shutdown: Shutdown): Promise<void> {
  const lock = await DatabaseLock.acquire(url, (error) => {
    logger.fatal({ err: error }, error.message);
    onLost?.(error);
  });
  shutdown.at('stop_postgres', 'lock of the database', CLOSE_TIMEOUT_MS, () => lock.release());
}

async function startBundledPostgres(config: AppConfig, deps: StandaloneDeps, shutdown: Shutdown): Promise<string> {
  const { logger, onLost, fsync = true } = deps;
  const lock = await DataDirLock.acquire(config.profile.dataDir);
  shutdown.at('let_go', 'data folder', CLOSE_TIMEOUT_MS, () => lock.release());
  const postgres = await startSupervisedPostgres({
    dataDir: config.profile.dataDir,
    lock,
    fsync,
    log: (level, message) => logger[level](message),
    onLost: (error) => {
      logger.fatal({ err: error }, error.message);
      onLost?.(error);
    },
  });
  shutdown.at('stop_postgres', 'bundled Postgres', STOP_POSTGRES_TIMEOUT_MS, () => postgres.stop());
  return postgres.url;
}
