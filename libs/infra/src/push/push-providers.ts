import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import type { PushProvider } from '@parley/domain';
import type { AppConfig } from '../config/configuration.js';
import { ApnsPushProvider } from './apns-push-provider.js';
import { ServiceAccountSchema } from './fcm-access.js';
import { type FcmOptions, FcmPushProvider } from './fcm-push-provider.js';
import type { PushKeys } from './push-keys.js';
import { WebPushProvider } from './web-push-provider.js';

/**
 * The providers that are configured; Web Push always is.
 * @throws Error in a sentence when a file that is named cannot be read, or holds something else
 */
export async function openPushProviders(push: AppConfig['push'], keys: PushKeys): Promise<PushProvider[]> {
  const ca = push.caFile && [...rootCertificates, await contentOf('PUSH_CA_FILE', push.caFile)];
  const usual = { ...(ca && { ca }), answerMs: push.answerMs, breaker: { restMsMax: push.restMsMax } };
  const providers: PushProvider[] = [
    new WebPushProvider({
      ...usual,
      keys,
      subject: push.vapidSubject,
      arePrivateEndpointsAllowed: keys.arePrivateEndpointsAllowed,
    }),
  ];
  if (push.apnsKeyFile) {
    const key = await contentOf('APNS_KEY_FILE', push.apnsKeyFile);
    const [keyId = '', teamId = '', topic = ''] = [push.apnsKeyId, push.apnsTeamId, push.apnsTopic];
    const opening = ApnsPushProvider.open({ ...usual, url: push.apnsUrl, key, keyId, teamId, topic });
    providers.push(await orSay(opening, `APNS_KEY_FILE names ${push.apnsKeyFile}, which holds no .p8 key.`));
  }
  if (push.fcmServiceAccountFile) {
    const text = await contentOf('FCM_SERVICE_ACCOUNT_FILE', push.fcmServiceAccountFile);
    const opening = openFcm(push.fcmUrl, text, usual);
    const wrong = `FCM_SERVICE_ACCOUNT_FILE names ${push.fcmServiceAccountFile}, which holds no service account's key.`;
    providers.push(await orSay(opening, wrong));
  }
  return providers;
}

type UsualOptions = Pick<FcmOptions, 'ca' | 'answerMs' | 'breaker'>;

async function openFcm(url: string, text: string, usual: UsualOptions): Promise<PushProvider> {
  return FcmPushProvider.open({ ...usual, url, account: ServiceAccountSchema.parse(JSON.parse(text)) });
}

async function contentOf(variable: string, file: string): Promise<string> {
  return orSay(readFile(file, 'utf8'), `${variable} names ${file}, which cannot be read.`);
}

async function orSay<Value>(promise: Promise<Value>, sentence: string): Promise<Value> {
  try {
    return await promise;
  } catch (cause) {
    throw new Error(sentence, { cause });
  }
}
