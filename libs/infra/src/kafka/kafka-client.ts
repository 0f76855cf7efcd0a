import { DomainError, withDeadline } from '@parley/domain';
import type { Base } from '@platformatic/kafka';

/** How a Kafka cluster is reached. */
export interface KafkaConnection {
  /** `host:port` of some of the brokers; the others are found through them. */
  brokers: readonly string[];
  /** Names this process in the brokers' logs and quotas. */
  clientId: string;
  /** None: the brokers take connections of anybody, in the clear. */
  security?: KafkaSecurity | undefined;
}

export interface KafkaSecurity {
  /** Encrypted, and the brokers' certificates checked; `ca` (PEM) instead of the authorities that Node knows. */
  tls?: { ca?: string } | undefined;
  sasl?: { mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string } | undefined;
}

/** Told of failures that an adapter lives through. */
export type OnTrouble = (what: string, error: unknown) => void;

export const CONNECT_MS_MAX = 1_000;
/** Brokers and leaders are asked for again after this time, and at once when an answer shows that they have changed. */
const METADATA_AGE_MS_MAX = 60_000;
const CLOSE_MS_MAX = 1_000;
const RETRY_AFTER_MS = 1_000;

/**
 * What all clients of the library have in common. Each client needs an object of its own: the library writes into it.
 *
 * A client asks the first of its brokers first, and one that stands still takes connections and says nothing: whoever
 * opens clients one after the other counts them as `turn`, so that each begins with another broker. (With the first of
 * three brokers paused, nothing was sent for as long as it stood.)
 */
export function clientOptions(
  { brokers, clientId, security }: KafkaConnection,
  turn = 0,
): {
  bootstrapBrokers: string[];
  clientId: string;
  connectTimeout: number;
  metadataMaxAge: number;
  autocreateTopics: boolean;
  tls?: { ca?: string };
  tlsServerName?: true;
  sasl?: NonNullable<KafkaSecurity['sasl']>;
} {
  const first = turn % brokers.length;
  return {
    bootstrapBrokers: [...brokers.slice(first), ...brokers.slice(0, first)],
    clientId,
    connectTimeout: CONNECT_MS_MAX,
    metadataMaxAge: METADATA_AGE_MS_MAX,
    autocreateTopics: false,
    // A certificate is for a name: the broker is told which of its names was called.
    ...(security?.tls && { tls: { ...security.tls }, tlsServerName: true }),
    ...(security?.sasl && { sasl: { ...security.sasl } }),
  };
}

/** No answer came within the time that was given to it. */
export class KafkaSilent extends Error {
  constructor(what: string, ms: number) {
    super(`Kafka did not answer within ${ms} ms: ${what}`);
    this.name = 'KafkaSilent';
  }
}

/** What `work` answers. @throws KafkaSilent after `ms`; whatever `work` comes to then is dropped. */
export function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  return withDeadline(work, ms, () => {
    throw new KafkaSilent(what, ms);
  });
}

/**
 * Ends a client of the library within a second, whatever its brokers do. A connection whose broker does not read would
 * wait for its last bytes to leave, and with it the socket would stay.
 */
export async function closeClient(client: Base | null): Promise<void> {
  if (!client) return;
  const connections = [...client.connections].map(([, connection]) => connection);
  try {
    await within(CLOSE_MS_MAX, 'close', client.close());
  } catch {
    // It is gone all the same: nothing uses it any more.
  } finally {
    for (const connection of connections) (connection.socket as typeof connection.socket | undefined)?.destroy();
  }
}

export function kafkaUnavailable(cause: unknown): DomainError {
  const error = new DomainError('store_unavailable', 'The log does not answer', { retryAfterMs: RETRY_AFTER_MS });
  error.cause = cause;
  return error;
}
