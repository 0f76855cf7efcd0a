/** What a test may use together with other files, running at the same time. */
export type Company =
  /** Everything: it looks at nothing but what it made itself. */
  | 'all'
  /** Processes with the doors of its own: their settings or figures matter, or they are stopped. */
  | 'own-doors'
  /** Nothing: all of it is stopped and started again. */
  | 'alone';

/** The product as it runs, in one process or in many. */
export interface ServedApp {
  /** Where clients find REST and sockets. */
  readonly url: string;
  /** What `GET /v1/connect` may name. */
  readonly gatewayUrls: readonly string[];
  /** Where the figures are that METRICS_PORT asked for. */
  readonly metricsUrl: string;
  /** The figures of every process, one after the other. */
  figures(): Promise<string>;
  /** Stops and starts what is its own, on the same data. */
  restart(): Promise<void>;
  /** What SIGTERM does, to what is its own. */
  close(): Promise<void>;
  /** After `close`: leaves nothing behind. */
  remove(): Promise<void>;
}

export async function figuresAt(url: string): Promise<string> {
  const answer = await fetch(`${url}/metrics`);
  if (answer.status !== 200) throw new Error(`${url}/metrics: ${answer.status}`);
  return answer.text();
}
