/** What the gateway needs of the configuration; `GATEWAY_SETTINGS` is its DI token. */
export interface GatewaySettings {
  /** False lifts the limits on events and sockets. */
  rateLimited: boolean;
  eventsPerSecondMax: number;
  socketsPerUserMax: number;
  /** How long a reader may take nothing while something waits for it. */
  stalledMsMax: number;
  /** How often changed conversations are looked for, so that a lost last event is found. */
  headsEveryMs: number;
  /** Names this gateway among all; another one at each start. */
  gatewayId: string;
  /** A device without any sign of a person for so long is idle. */
  idleAfterMs: number;
  /** A device that has gone still counts for so long: whoever is back by then was never away. */
  offlineAfterMs: number;
  /** The present, in milliseconds since the epoch. */
  now: () => number;
}

export const GATEWAY_SETTINGS = Symbol('GatewaySettings');

/** At most 30 s may pass before a client learns of a change; the rest is for the query and a failed attempt. */
export const HEADS_EVERY_MS = 20_000;
