import { Query } from '@nestjs/cqrs';

/** Gateways that a client is told of beside the one to use. */
export const FALLBACK_GATEWAYS_MAX = 4;

export interface FoundGateways {
  url: string;
  /** In the order in which to try them. */
  fallbackUrls: string[];
}

/** The gateway that a user should use, and others to fall back to. */
export class FindGateways extends Query<FoundGateways> {
  constructor(
    readonly userId: string,
    /** Preferred where there are gateways in it. */
    readonly region: string | null,
  ) {
    super();
  }
}
