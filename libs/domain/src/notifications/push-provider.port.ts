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

/** A service that brings notifications to devices. */
export abstract class PushProvider {
  abstract readonly name: PushProviderName;
  /** Never rejects; ends within `PUSH_ANSWER_MS_MAX` and a little, whatever the service does. */
  abstract send(notification: PushNotification, pushToken: Device['pushToken']): Promise<PushResult>;
  /** After failures in a row it is left alone: for so long `send` would not even ask. 0 while it works. */
  abstract restMs(): number;
  /** Ends connections; what is under way fails. */
  abstract close(): Promise<void>;
}

export const PUSH_ANSWER_MS_MAX = 10_000;
