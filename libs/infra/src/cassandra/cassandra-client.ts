import { auth, Client, policies, types } from 'cassandra-driver';
import { refreshOneAtATime } from './cassandra-refresh.js';

export interface CassandraSettings {
  /** `host` or `host:port`, some of the nodes; the others are found through them, at the same port. */
  contactPoints: readonly string[];
  localDataCenter: string;
  keyspace: string;
  credentials?: { username: string; password: string } | undefined;
  /** Encrypted, and the nodes' certificates checked; `ca` (PEM) instead of the authorities that Node knows. */
  tls?: { ca?: string } | undefined;
}

/** A data centre's nodes answer in milliseconds; a node that takes so long is as good as away. */
const REQUEST_TIMEOUT_MS = 1_500;
const CONNECT_TIMEOUT_MS = 1_500;
/**
 * A connection with so many requests that were given up, and not answered since, is closed: the node is frozen. The
 * driver's own figure. With fewer (8) a node that had just started, and was slow, lost its connections again and again,
 * and answered nobody for half a minute.
 */
const SILENT_REQUESTS_MAX = 64;
const HEARTBEAT_MS = 2_000;
/** The pause between attempts to reach a node that is away. */
const RECONNECTION_MS = 500;
/** After so long the same read is sent to another node too: one frozen node of three costs this, not a time-out. */
const SECOND_NODE_AFTER_MS = 400;
/** Between attempts to reach a first node at start. */
const START_PAUSE_MS = 500;
export const CASSANDRA_START_MS_MAX = 30_000;

const DEFAULT_PORT = 9_042;
const KEYSPACE_NAME = /^[a-z][a-z0-9_]{0,47}$/;

/** No node could be reached at start, or they refuse this client. */
export class CassandraUnreachable extends Error {
  constructor(contactPoints: readonly string[], cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`Cassandra cannot be used at ${contactPoints.join(', ')}: ${why}`, { cause });
  }
}

/**
 * A client that is connected, and finds its way back by itself whenever nodes went away. Reads and writes are by local
 * quorum: with three replicas, one may be away.
 * @param keyspace null before it exists
 * @throws CassandraUnreachable when no node answers within `withinMs`
 */
export async function connectCassandra(
  settings: CassandraSettings,
  keyspace: string | null = settings.keyspace,
  withinMs = CASSANDRA_START_MS_MAX,
): Promise<Client> {
  if (!KEYSPACE_NAME.test(settings.keyspace)) {
    throw new Error(`The keyspace ${JSON.stringify(settings.keyspace)} is not named like parley_1: a-z, 0-9 and _`);
  }
  const port = portOf(settings.contactPoints);
  for (const deadline = performance.now() + withinMs; ;) {
    // A client that failed to connect remembers that for good.
    const client = newClient(settings, keyspace, port);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.shutdown();
      const pauseMs = Math.min(START_PAUSE_MS, deadline - performance.now());
      if (pauseMs <= 0 || isRefusal(error)) throw new CassandraUnreachable(settings.contactPoints, error);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** The driver learns the hosts of other nodes from the first one, and takes the port for all of them from its options. */
function portOf(contactPoints: readonly string[]): number {
  const ports = new Set(contactPoints.map((point) => Number(/:(\d+)$/.exec(point)?.[1] ?? DEFAULT_PORT)));
  const [port] = ports;
  if (port === undefined || ports.size > 1) {
    throw new Error(`Nodes of Cassandra need one port for all of them: ${contactPoints.join(', ')}`);
  }
  return port;
}

function newClient(settings: CassandraSettings, keyspace: string | null, port: number): Client {
  const { contactPoints, localDataCenter, credentials, tls } = settings;
  const client = new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    protocolOptions: { port },
    // The driver checks no certificate unless it is told to.
    ...(tls && { sslOptions: { ...tls, rejectUnauthorized: true } }),
    ...(keyspace === null ? {} : { keyspace }),
    ...(credentials
      ? { authProvider: new auth.PlainTextAuthProvider(credentials.username, credentials.password) }
      : {}),
    // Undefined leaves a column as it is; a null would be a tombstone.
    encoding: { useBigIntAsLong: true, useUndefinedAsUnset: true },
    queryOptions: { prepare: true, isIdempotent: true, consistency: types.consistencies.localQuorum },
    socketOptions: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      readTimeout: REQUEST_TIMEOUT_MS,
      defunctReadTimeoutThreshold: SILENT_REQUESTS_MAX,
      tcpNoDelay: true,
    },
    pooling: { heartBeatInterval: HEARTBEAT_MS },
    policies: {
      reconnection: new policies.reconnection.ConstantReconnectionPolicy(RECONNECTION_MS),
      speculativeExecution: new policies.speculativeExecution.ConstantSpeculativeExecutionPolicy(
        SECOND_NODE_AFTER_MS,
        1,
      ),
    },
  });
  refreshOneAtATime(client, RECONNECTION_MS);
  return client;
}

/** Trying again changes nothing: wrong credentials, or a name that no node knows. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const inner = Object.values((error as { innerErrors?: Record<string, unknown> }).innerErrors ?? {});
  const texts = [error, ...inner].map((each) => (each instanceof Error ? each.message : String(each)));
  return texts.some((text) => /keyspace .* does not exist|credentials|unauthorized|authentication/i.test(text));
}
