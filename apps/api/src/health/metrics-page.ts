/** What Prometheus reads, and whether this port shows it. Type and DI token in one. */
export abstract class MetricsPage {
  /** False while this port is open to the network: figures tell strangers too much. */
  abstract readonly shown: boolean;
  abstract readonly contentType: string;
  abstract text(): Promise<string>;
}
