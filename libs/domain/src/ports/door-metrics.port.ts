/** What a rate limit guards; the label under which its refusals are counted. */
export const RATE_LIMIT_NAMES = [
  'sends_per_user_in_conversation',
  'sends_per_user',
  'sends_per_conversation',
  'socket_events',
  'rest_per_user',
  'rest_per_address',
  'failed_logins_per_account',
  'failed_logins_per_address',
  'sockets_per_user',
  'sockets_per_address',
] as const;
export type RateLimitName = (typeof RATE_LIMIT_NAMES)[number];

/** What the doors (REST and sockets) tell about themselves. The same promise of speed as `PipelineMetrics`. */
export abstract class DoorMetrics {
  /** How many sockets are connected now. Replaces the last value. */
  abstract socketsConnected(count: number): void;

  /** One event of a client was answered: `ok`, or the code of its refusal. Names outside the contract count as `unknown`. */
  abstract socketEvent(event: string, outcome: string): void;

  /** A socket was closed because its reader was too slow. */
  abstract slowConsumer(): void;

  /** A request, event or handshake went over a limit. */
  abstract rateLimited(limit: RateLimitName): void;

  /** How many pairs of a socket and a user are subscribed to now. Replaces the last value. */
  abstract presenceSubscriptions(count: number): void;

  /** So many sockets were told that a user's presence has changed. */
  abstract presenceUpdates(count: number): void;

  /** The session registry did not take a report. */
  abstract sessionReportFailed(): void;

  /**
   * A REST request was answered. `route` is the template (`/v1/conversations/:id`), never the path that was asked for:
   * a label with ids in it would grow without end.
   */
  abstract httpRequest(route: string, method: string, status: number, durationMs: number): void;
}

/** Forgets everything it is told. */
export class NoDoorMetrics extends DoorMetrics {
  override socketsConnected(): void {}
  override socketEvent(): void {}
  override slowConsumer(): void {}
  override rateLimited(): void {}
  override presenceSubscriptions(): void {}
  override presenceUpdates(): void {}
  override sessionReportFailed(): void {}
  override httpRequest(): void {}
}
