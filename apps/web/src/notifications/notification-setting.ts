import type { ParleyClient } from '@parley/sdk';
import { isSubscribed, subscribe, unsubscribe } from './push-subscription.js';

const KEY = 'parley.notifications';

/**
 * `while-open`: this browser has no push service, so that only a page that is open can tell. `blocked`: the user, or the
 * browser by itself, has forbidden it.
 */
export type NotificationState = 'off' | 'on' | 'while-open' | 'blocked' | 'insecure' | 'unsupported';

/** Whether the user wants them here, and the browser still allows them. */
export function areNotificationsOn(): boolean {
  return 'Notification' in window && Notification.permission === 'granted' && localStorage.getItem(KEY) === 'on';
}

export async function notificationState(): Promise<NotificationState> {
  if (!window.isSecureContext) return 'insecure';
  if (!('Notification' in window)) return 'unsupported';
  if (Notification.permission === 'denied') return 'blocked';
  if (!areNotificationsOn()) return 'off';
  return (await isSubscribed()) ? 'on' : 'while-open';
}

/** Asks the user, if nobody did before. @throws ParleyError when the server cannot be told of it: nothing is on then */
export async function turnNotificationsOn(client: ParleyClient): Promise<NotificationState> {
  if (!window.isSecureContext || !('Notification' in window)) return notificationState();
  if ((await Notification.requestPermission()) !== 'granted') return notificationState();
  await inTurn(() => subscribe(client));
  localStorage.setItem(KEY, 'on');
  return notificationState();
}

/** @throws ParleyError when the server cannot be told of it: this browser shows nothing more all the same */
export async function turnNotificationsOff(client: ParleyClient): Promise<void> {
  localStorage.removeItem(KEY);
  await inTurn(async () => {
    await unsubscribe();
    await client.push.unregister();
  });
}

/** Of an account that is leaving: whoever comes next decides for themselves. */
export async function forgetNotifications(): Promise<void> {
  localStorage.removeItem(KEY);
  await inTurn(unsubscribe);
}

/** Tells the server again of a browser that wants to be told: subscriptions change, and servers forget those that failed. */
export async function renewNotifications(client: ParleyClient): Promise<void> {
  await inTurn(async () => {
    if (areNotificationsOn()) await subscribe(client);
  });
}

let last: Promise<unknown> = Promise.resolve();

/** One after the other: a device that is being registered would outlive that it was taken back meanwhile. */
function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = last.then(work);
  last = result.catch(() => undefined);
  return result;
}
