import type { RateLimit } from '@parley/domain';

/** What the REST door must be told from the configuration. Type and DI token in one. */
export abstract class HttpSettings {
  /** Where clients reach this server; null: wherever the request that asks came to. */
  abstract readonly publicUrl: string | null;
  /** Where clients find sockets; empty: here. */
  abstract readonly gatewayUrls: readonly string[];
  /** True where this process takes no sockets, so that clients are sent to others. */
  abstract readonly areSocketsElsewhere: boolean;
  /** Origins of web pages that may call from a browser; `*` among them allows all. */
  abstract readonly allowedOrigins: readonly string[];
  abstract readonly restPerUser: RateLimit;
  /** For requests without a token that holds. */
  abstract readonly restPerAddress: RateLimit;
}
