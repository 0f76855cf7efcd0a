import type { Device, PushProviderName } from '@parley/contracts';
import type { PushNotification } from './push-notification.js';

/**
 * What became of a notification. `gone`: the token is dead and will never work again. `refused`: this notification will
 * never be taken. `failed`: later perhaps, not before `retryAfterMs` where the provider says so.
 */
export type PushResult =
  | { is: 'sent' }
  | { is: 'gone' }
  | { is: 'refused'; reason: string }
  | { is: 'failed'; reason: string; retryAfterMs?: number };

/** Notifications that one provider is asked for at the same time, if it says nothing else. */
export const PUSH_IN_FLIGHT_MAX = 32;

/** A service that brings notifications to devices. */
export abstract class PushProvider {
  abstract readonly name: PushProviderName;
  /** Notifications that it takes at the same time. */
  readonly inFlightMax: number = PUSH_IN_FLIGHT_MAX;
  /** After how long to come with this token, since its service has enough to do already; that is no failure. 0: now. */
  busyMs(_pushToken: Device['pushToken']): number {
    return 0;
  }
  /**
   * Never rejects; asks within `PUSH_ANSWER_MS_MAX`, and ends within as much and a little from then, whatever the service
   * does.
   */
  abstract send(notification: PushNotification, pushToken: Device['pushToken']): Promise<PushResult>;
  /** After failures in a row it is left alone: for so long `send` would not even ask. 0 while it works. */
  abstract restMs(): number;
  /** Ends connections; what is under way fails. */
  abstract close(): Promise<void>;
}

export const PUSH_ANSWER_MS_MAX = 10_000;
