import type { BatchCommit, Broadcast, Checkpoint, CommandLog, ConversationReader, EventStream } from '@parley/domain';
import {
  type GatewayRegistry,
  type MessageStore,
  type PartitionLeases,
  type RateLimiter,
  type Replies,
  type SessionRegistry,
  StagedBatchCommit,
} from '@parley/domain';
import type { AppConfig } from './config/configuration.js';
import { cassandraSettingsOf, kafkaConnectionOf, redisAuthoritiesOf } from './engine-connections.js';
import { MemoryBroadcast, MemoryBroadcastHub } from './memory/memory-broadcast.js';
import { MemoryCommandLog } from './memory/memory-command-log.js';
import { MemoryGatewayRegistry } from './memory/memory-gateway-registry.js';
import { MemoryRateLimiter } from './memory/memory-rate-limiter.js';
import { MemoryReplies } from './memory/memory-replies.js';
import { MemorySessionRegistry } from './memory/memory-session-registry.js';
import { CommitConnection } from './postgres/batch-commit/commit-connection.js';
import { CommitsUnderWay } from './postgres/batch-commit/commits-under-way.js';
import { PostgresBatchCommit } from './postgres/batch-commit/postgres-batch-commit.js';
import { PostgresCheckpoint } from './postgres/checkpoint/postgres-checkpoint.js';
import { PostgresPartitionLeases } from './postgres/checkpoint/postgres-partition-leases.js';
import { refuseUndecidedCommands } from './postgres/command-log/undecided-commands.js';
import type { Database } from './postgres/database.js';
import { PostgresEventStream } from './postgres/event-stream/postgres-event-stream.js';
import { MessageTails } from './postgres/message-store/message-tails.js';
import { PostgresMessageStore } from './postgres/message-store/postgres-message-store.js';
import { MemberViews } from './postgres/read-models/member-views.js';
import { PostgresConversationReader } from './postgres/read-models/postgres-conversation-reader.js';

export interface PipelineAdaptersOptions {
  config: Pick<AppConfig, 'adapters' | 'kafka' | 'cassandra' | 'redis' | 'security' | 'pipeline'>;
  /** Open and migrated; whoever opened it closes it, after the adapters. */
  database: Database;
  /** Where that database is, for connections of the adapters' own. */
  databaseUrl: string;
  /** This process makes all commits of the database: what it has in memory is never older than the tables. */
  alone: boolean;
  /** Names this process to the engines. */
  clientId: string;
  onTrouble: (what: string, error: unknown) => void;
}

/** An engine beside Postgres, and whether it does its work now. */
export interface EngineCheck {
  name: 'kafka' | 'cassandra' | 'redis';
  /** Rejects when it does not. */
  check: () => Promise<void>;
}

/** The pipeline's ports on the engines that the configuration chose. */
export interface PipelineAdapters {
  log: CommandLog;
  commit: BatchCommit;
  checkpoint: Checkpoint;
  stream: EventStream;
  store: MessageStore;
  reader: ConversationReader;
  leases: PartitionLeases;
  broadcast: Broadcast;
  replies: Replies;
  /** Who is connected where, for all processes that hear each other. */
  sessions: SessionRegistry;
  /** Which processes take sockets, and how many each has. */
  gateways: GatewayRegistry;
  /** Counts for all processes that hear each other. */
  rateLimiter: RateLimiter;
  engines: EngineCheck[];
  /** Closes what was opened, in reverse order. May be called twice; never rejects. */
  close(): Promise<void>;
}

type Opening = PipelineAdaptersOptions & {
  partitions: number;
  engines: EngineCheck[];
  closing: (() => Promise<void>)[];
};

/**
 * Opens the adapters. What the configuration did not choose is not even loaded: the embedded profile starts without the
 * code of other engines.
 * @throws in a sentence when an engine cannot be reached, or does not fit; what was opened is closed by then
 */
export async function openPipelineAdapters(options: PipelineAdaptersOptions): Promise<PipelineAdapters> {
  const { database, onTrouble, config } = options;
  const leases = new PostgresPartitionLeases(database.pool);
  const partitions = await leases.ensurePartitions(config.pipeline.partitions);
  const opening: Opening = { ...options, partitions, engines: [], closing: [] };
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= closeAll(opening.closing, onTrouble));
  try {
    const { log, stream: kafkaStream } = await openLogs(opening);
    const { store: cassandra } = await openCassandra(opening);
    const between = await openBroadcast(opening);
    const stores = composeStores(opening, { stream: kafkaStream, store: cassandra });
    return { ...stores, ...between, log, leases, engines: opening.engines, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openLogs(opening: Opening): Promise<{ log: CommandLog; stream: EventStream | null }> {
  const { config, database, databaseUrl, partitions, closing, onTrouble } = opening;
  const { commandLog, eventStream } = config.adapters;
  const pendingRecordsMax = config.pipeline.commandsInFlightMax;
  const kafka = commandLog === 'kafka' || eventStream === 'kafka' ? await openKafka(opening) : null;
  const stream = eventStream === 'kafka' ? (kafka?.stream() ?? null) : null;
  if (commandLog === 'kafka' && kafka) return { log: kafka.log(), stream };
  if (commandLog === 'memory') {
    await refuseUndecidedCommands(database.pool);
    return { log: new MemoryCommandLog({ partitions, pendingRecordsMax }), stream };
  }
  const { PostgresCommandLog } = await import('./postgres/command-log/postgres-command-log.js');
  const options = { pool: database.pool, url: databaseUrl, partitions, pendingRecordsMax, onTrouble };
  const log = await PostgresCommandLog.open(options);
  closing.push(() => log.close());
  return { log, stream };
}

async function openKafka(opening: Opening): Promise<{ log: () => CommandLog; stream: () => EventStream }> {
  const { config, clientId, partitions, closing, engines, onTrouble } = opening;
  const { topicPrefix, replicationFactor } = config.kafka;
  const { KafkaCommandLog, KafkaEventStream, KafkaReadiness, openKafkaTopics } = await import('./kafka/index.js');
  const connection = kafkaConnectionOf(config, clientId);
  const topics = await openKafkaTopics({ ...connection, topicPrefix, partitions, replicationFactor });
  const readiness = new KafkaReadiness(connection, topics.commands);
  closing.push(() => readiness.close());
  engines.push({ name: 'kafka', check: () => readiness.check() });
  return {
    log: () => {
      const waitingRecordsMax = config.pipeline.commandsInFlightMax;
      const log = new KafkaCommandLog({
        ...connection,
        topic: topics.commands,
        partitions,
        waitingRecordsMax,
        onTrouble,
      });
      closing.push(() => log.close());
      return log;
    },
    stream: () => {
      const stream = new KafkaEventStream({ ...connection, topic: topics.events, onTrouble });
      closing.push(() => stream.close());
      return stream;
    },
  };
}

async function openCassandra({ config, closing, engines }: Opening): Promise<{ store: MessageStore | null }> {
  if (config.adapters.messageStore !== 'cassandra') return { store: null };
  const { CassandraMessageStore, checkCassandra, connectCassandra, migrateCassandra } =
    await import('./cassandra/index.js');
  const { localDataCenter, replicationFactor } = config.cassandra;
  const settings = cassandraSettingsOf(config);
  await migrateCassandra(settings, { [localDataCenter]: replicationFactor });
  const client = await connectCassandra(settings);
  closing.push(() => client.shutdown());
  engines.push({ name: 'cassandra', check: () => checkCassandra(client) });
  return { store: new CassandraMessageStore(client) };
}

async function openBroadcast({
  config,
  closing,
  engines,
  onTrouble,
}: Opening): Promise<Pick<PipelineAdapters, 'broadcast' | 'replies' | 'sessions' | 'gateways' | 'rateLimiter'>> {
  const { url, keyPrefix } = config.redis;
  if (config.adapters.broadcast === 'memory' || url === undefined) {
    const hub = new MemoryBroadcastHub((error) => onTrouble('A listener to live events failed', error));
    const [broadcast, replies] = [new MemoryBroadcast(hub), new MemoryReplies()];
    const sessions = new MemorySessionRegistry();
    const gateways = new MemoryGatewayRegistry();
    return { broadcast, replies, sessions, gateways, rateLimiter: new MemoryRateLimiter() };
  }
  const { RedisPorts } = await import('./redis/index.js');
  const redis = await RedisPorts.open({ url, ca: redisAuthoritiesOf(config), prefix: keyPrefix, onTrouble });
  closing.push(() => redis.close());
  const check = async (): Promise<void> => {
    if (!redis.isUp) throw new Error('Redis does not answer.');
  };
  engines.push({ name: 'redis', check });
  const { broadcast, replies, sessions, gateways } = redis;
  return { broadcast, replies, sessions, gateways, rateLimiter: redis.rateLimiter(new MemoryRateLimiter()) };
}

/** What is committed, and what reads it: one statement where all of it is Postgres, stages where it is not. */
function composeStores(
  { database, databaseUrl, alone, closing }: Opening,
  elsewhere: { stream: EventStream | null; store: MessageStore | null },
): Pick<PipelineAdapters, 'commit' | 'checkpoint' | 'stream' | 'store' | 'reader'> {
  const { pool } = database;
  const checkpoint = new PostgresCheckpoint(pool);
  const oneStatement = elsewhere.stream === null && elsewhere.store === null;
  if (!oneStatement || !alone) {
    const stream = elsewhere.stream ?? new PostgresEventStream(pool);
    const store = elsewhere.store ?? new PostgresMessageStore(pool);
    const reader = new PostgresConversationReader(database);
    if (!oneStatement) {
      return { commit: new StagedBatchCommit({ store, stream, checkpoint }), checkpoint, stream, store, reader };
    }
    const connection = new CommitConnection(databaseUrl);
    closing.push(() => connection.close());
    return { commit: new PostgresBatchCommit(connection), checkpoint, stream, store, reader };
  }
  const connection = new CommitConnection(databaseUrl);
  closing.push(() => connection.close());
  const commits = new CommitsUnderWay();
  const [tails, views] = [new MessageTails(), new MemberViews()];
  const commit = new PostgresBatchCommit(connection, commits);
  commit.onCommitted((batch) => {
    tails.follow(batch.messages);
    views.follow(batch);
  });
  commit.onUncertain(() => {
    tails.clear();
    views.clear();
  });
  const store = new PostgresMessageStore(pool, tails);
  const reader = new PostgresConversationReader(database, views, commits);
  return { commit, checkpoint, stream: new PostgresEventStream(pool), store, reader };
}

async function closeAll(
  closing: readonly (() => Promise<void>)[],
  onTrouble: PipelineAdaptersOptions['onTrouble'],
): Promise<void> {
  for (const close of closing.toReversed()) {
    await close().catch((error: unknown) => onTrouble('A connection could not be closed in order', error));
  }
}
