/** An engine's process, which can be stopped, killed, paused, and started again on its data at the same address. */
export interface EngineNode {
  readonly name: string;
  /** Undefined when it was stopped or killed. */
  readonly pid: number | undefined;
  readonly logFile: string;
  /** `host:port`, or a URL where the engine's clients take one. */
  readonly address: string;
  readonly isRunning: boolean;
  /** Starts it, unless it runs, and returns when it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL; returns when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
}

export interface StartedEngines {
  /** `KAFKA_BROKERS`, `CASSANDRA_CONTACT_POINTS`, `REDIS_URL`, `POSTGRES_ADMIN_URL`, `S3_ENDPOINT`: those that were started. */
  readonly env: Readonly<Record<string, string>>;
  /** In the order in which they were asked for. */
  readonly nodes: readonly EngineNode[];
  /** Stops them and removes their data. */
  stop(): Promise<void>;
}

export type EngineName = 'kafka' | 'cassandra' | 'redis' | 'postgres' | 's3';

/** How to sign in to an `s3` that was started here, and the bucket that it has. */
export const S3_ACCOUNT: Readonly<Record<'accessKeyId' | 'secretAccessKey' | 'bucket' | 'region', string>>;

/** Starts engines for this process alone: they end with it, however it ends. */
export function startEngines(names: readonly EngineName[]): Promise<StartedEngines>;

/** Starts a Cassandra cluster on 127.0.0.1, 127.0.0.2, … for this process alone; all nodes know each other. */
export function startCassandraCluster(size: number): Promise<StartedEngines>;

/** Runs one statement as the administrator of a Postgres server, on a connection of its own. */
export function administer(url: string, statement: string): Promise<void>;
