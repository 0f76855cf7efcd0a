/** How often a gateway announces itself. */
export const GATEWAY_ANNOUNCE_EVERY_MS = 2_000;
/** A gateway that has not announced itself for so long is gone: four announcements may be lost. */
export const GATEWAY_TTL_MS = 10_000;
/** Gateways that are told of; more than that announce themselves in vain. */
export const GATEWAYS_MAX = 1_000;

/** A process that takes sockets, as it says of itself. */
export interface GatewayEntry {
  /** Of this start of the process: one that was restarted at the same address is another gateway. */
  gatewayId: string;
  /** Where clients reach it. */
  url: string;
  /** Null where regions are not told apart. */
  region: string | null;
  /** Sockets that are open there. */
  connections: number;
  /** It is about to end: nobody is sent there any more. */
  draining: boolean;
}

/**
 * Which gateways there are, and how much each has to do. Each announces itself every few seconds; one that crashed is
 * gone after `GATEWAY_TTL_MS`.
 *
 * It may forget everything (a Redis that was restarted or flushed): it is complete again with the next announcements.
 */
export abstract class GatewayRegistry {
  /** Adds the gateway, or replaces what it said before. Never rejects, ends in bounded time; false when it did not get in. */
  abstract announce(gateway: GatewayEntry): Promise<boolean>;

  /** Takes the gateway out at once. Never rejects, ends in bounded time; false when it is left to its end by time. */
  abstract withdraw(gatewayId: string): Promise<boolean>;

  /**
   * All that announced themselves lately, in no particular order. Never rejects, ends in bounded time; null while nobody
   * can say.
   */
  abstract list(): Promise<readonly GatewayEntry[] | null>;
}
