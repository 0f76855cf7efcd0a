import type { PushSettings } from '@parley/domain';
import type { ConfigWithSecret } from '../config/kept-secret.js';
import { keptSecret } from '../config/kept-secret.js';
import { isLoopbackHost } from '../config/loopback.js';
import { makeVapidPrivateKey, type VapidKeys, vapidKeysFrom, vapidKeysOf } from './vapid-keys.js';

/** What those who register devices and those who push to them must agree on. */
export type PushKeys = VapidKeys & PushSettings & { vapidPublicKey: string };

const VAPID_KEY = {
  file: 'vapid-private-key',
  make: makeVapidPrivateKey,
  looksRight: /^[\w-]{43}$/,
  remedy: 'set VAPID_PRIVATE_KEY, or remove the file to have another made (browsers must subscribe anew)',
};

/** @throws Error in a sentence when the keys are none, or do not belong together */
export function pushKeysOf({ push, profile, auth, http }: ConfigWithSecret): PushKeys {
  const keys = vapidKeys({ push, profile, auth });
  if (push.vapidPublicKey !== undefined && push.vapidPublicKey.replace(/=+$/, '') !== keys.publicKey) {
    throw new Error('VAPID_PUBLIC_KEY does not belong to VAPID_PRIVATE_KEY.');
  }
  const isAlone = profile.name === 'embedded' && isLoopbackHost(http.host);
  const arePrivateEndpointsAllowed = push.privateEndpoints === 'auto' ? isAlone : push.privateEndpoints === 'allow';
  return { ...keys, vapidPublicKey: keys.publicKey, arePrivateEndpointsAllowed };
}

function vapidKeys({ push, profile, auth }: Pick<ConfigWithSecret, 'push' | 'profile' | 'auth'>): VapidKeys {
  if (push.vapidPrivateKey !== undefined) {
    try {
      return vapidKeysOf(push.vapidPrivateKey);
    } catch (cause) {
      throw new Error('VAPID_PRIVATE_KEY is no private key of P-256 in base64url.', { cause });
    }
  }
  if (profile.name === 'cluster') return vapidKeysFrom(auth.jwtSecret);
  return vapidKeysOf(keptSecret(profile.dataDir, VAPID_KEY));
}
