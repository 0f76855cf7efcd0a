import type { RateLimit } from '@parley/domain';

/** What the REST door must be told from the configuration. Type and DI token in one. */
export abstract class HttpSettings {
  /** Where clients reach this server; null: wherever the request that asks came to. */
  abstract readonly publicUrl: string | null;
  /** What clients are told of gateways, instead of those that announce themselves; empty: nothing is fixed. */
  abstract readonly gatewayUrls: readonly string[];
  /** Whose gateways are preferred where nobody asks for another; null: regions are not told apart. */
  abstract readonly region: string | null;
  /** True where this process takes no sockets, so that clients are sent to others. */
  abstract readonly areSocketsElsewhere: boolean;
  /** Origins of web pages that may call from a browser; `*` among them allows all. */
  abstract readonly allowedOrigins: readonly string[];
  /** Where browsers are sent for the bytes of media, beside this server. */
  abstract readonly mediaOrigins: readonly string[];
  abstract readonly restPerUser: RateLimit;
  /** For requests without a token that holds. */
  abstract readonly restPerAddress: RateLimit;
}
