import { choice, custom, integer, optionalText, rateLimit, secretText, type Setting, text } from './setting.js';

function serviceUrl(name: string, service: string, fallback: string): Setting<string> {
  return custom<string>(name, {
    description: `Where ${service} is; another server that speaks the same, for tests.`,
    shownDefault: fallback,
    default: fallback,
    read: (value) =>
      URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
        ? { value: new URL(value).origin }
        : { must: 'must be a URL that begins with https:// or http://' },
  });
}

/** Notifications to devices, and the services that bring them. */
export const PUSH_SETTINGS = {
  preview: choice('PUSH_PREVIEW', {
    description: '`off`: no notification shows the text of its message, whatever its reader prefers.',
    options: ['on', 'off'],
    default: 'on',
  }),
  perUser: rateLimit('RATE_LIMIT_PUSH_PER_USER_MINUTE', {
    description:
      'Notifications to all devices of a user, in a minute; more wait, and replace each other by conversation.',
    limit: 60,
    windowMs: 60_000,
  }),
  answerMs: integer('PUSH_ANSWER_TIMEOUT_MS', {
    description: 'A push service that has not answered after so many milliseconds has failed.',
    default: 10_000,
    min: 100,
    max: 20_000,
  }),
  restMsMax: integer('PUSH_REST_MS_MAX', {
    description:
      'For how many milliseconds at most a push service is left alone after failures in a row, before it is asked again.',
    default: 60_000,
    min: 100,
    max: 600_000,
  }),
  caFile: optionalText('PUSH_CA_FILE', {
    description: 'PEM file with authorities to trust at the push services, beside those of the system.',
  }),
  apnsUrl: serviceUrl('APNS_URL', "Apple's push service", 'https://api.push.apple.com'),
  apnsKeyFile: optionalText('APNS_KEY_FILE', {
    description: "The .p8 key file of the developer's account. Unset: nothing is pushed by APNs.",
  }),
  apnsKeyId: optionalText('APNS_KEY_ID', { description: "The key's id." }),
  apnsTeamId: optionalText('APNS_TEAM_ID', { description: "The team's id." }),
  apnsTopic: optionalText('APNS_TOPIC', { description: "The app's bundle id." }),
  fcmUrl: serviceUrl('FCM_URL', "Google's push service", 'https://fcm.googleapis.com'),
  fcmServiceAccountFile: optionalText('FCM_SERVICE_ACCOUNT_FILE', {
    description:
      'The JSON key file of a service account; its `token_uri` is asked for access tokens. Unset: nothing is pushed by FCM.',
  }),
  vapidSubject: text('VAPID_SUBJECT', {
    description: 'Whom browser vendors turn to about Web Push from this server: a `mailto:` or `https:` address.',
    default: 'mailto:push@parley.invalid',
    pattern: /^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/,
    expected: 'must begin with mailto: or https://',
  }),
  vapidPublicKey: optionalText('VAPID_PUBLIC_KEY', {
    description: 'The key that browsers subscribe with. It follows from the private one, and is only compared.',
  }),
  vapidPrivateKey: secretText('VAPID_PRIVATE_KEY', {
    description:
      'Its private key, base64url. Unset: made once and kept in `DATA_DIR`; in a cluster derived from `AUTH_JWT_SECRET`, with which all subscriptions would change.',
    charsMin: 40,
  }),
  privateEndpoints: choice('PUSH_PRIVATE_ENDPOINTS', {
    description:
      'Whether Web Push endpoints on this machine or in private networks are called. `auto`: only by a single server whose `HOST` is a loopback address.',
    options: ['auto', 'allow', 'refuse'],
    default: 'auto',
  }),
} as const;

type Given = Readonly<Record<string, string | undefined>>;

const APNS = ['APNS_KEY_FILE', 'APNS_KEY_ID', 'APNS_TEAM_ID', 'APNS_TOPIC'] as const;

/** What is there of the settings of push without what it needs; a sentence for each. */
export function pushContradictions(given: Given): string[] {
  const problems: string[] = [];
  if (APNS.some((name) => given[name])) {
    for (const name of APNS) if (!given[name]) problems.push(`${name} must be set: APNs needs ${APNS.join(', ')}`);
  }
  if (given['VAPID_PUBLIC_KEY'] && !given['VAPID_PRIVATE_KEY'])
    problems.push('VAPID_PUBLIC_KEY needs VAPID_PRIVATE_KEY');
  return problems;
}
