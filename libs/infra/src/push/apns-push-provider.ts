import { PUSH_ANSWER_MS_MAX, type PushNotification, PushProvider, type PushResult } from '@parley/domain';
import { type CryptoKey, importPKCS8, SignJWT } from 'jose';
import { Http2Channel } from './http2-channel.js';
import { type BreakerOptions, ProviderBreaker } from './provider-breaker.js';
import { jsonOf, reasonOf, type ServiceAnswer } from './service-answer.js';

export interface ApnsOptions {
  /** `https://api.push.apple.com`, the sandbox, or a server that speaks the same. */
  url: string;
  /** The text of the .p8 file. */
  key: string;
  keyId: string;
  teamId: string;
  /** The bundle id of the app. */
  topic: string;
  ca?: readonly string[] | undefined;
  answerMs?: number;
  breaker?: BreakerOptions;
}

/** Apple refuses tokens older than an hour, and those that change more often than every 20 minutes. */
const TOKEN_MS = 45 * 60_000;
const ALGORITHM = 'ES256';
/** Reasons that mean the device token will never work for this app. */
const DEAD_TOKEN = new Set(['BadDeviceToken', 'DeviceTokenNotForTopic', 'ExpiredToken', 'Unregistered']);

/** Apple's service over HTTP/2, with tokens that are signed here. */
export class ApnsPushProvider extends PushProvider {
  override readonly name = 'apns';
  private readonly channel: Http2Channel;
  private readonly breaker: ProviderBreaker;
  private token: { text: Promise<string>; at: number } | null = null;

  private constructor(
    private readonly options: ApnsOptions,
    private readonly key: CryptoKey,
  ) {
    super();
    this.channel = new Http2Channel({ origin: options.url, ca: options.ca });
    this.breaker = new ProviderBreaker(options.breaker);
  }

  /** @throws Error when the key is none for ES256 */
  static async open(options: ApnsOptions): Promise<ApnsPushProvider> {
    return new ApnsPushProvider(options, await importPKCS8(options.key, ALGORITHM));
  }

  override send(notification: PushNotification, pushToken: string): Promise<PushResult> {
    return this.breaker.run(async () => {
      try {
        const headers = await this.headersOf(notification, pushToken);
        const body = JSON.stringify(payloadOf(notification));
        return this.resultOf(await this.channel.post(headers, body, this.options.answerMs ?? PUSH_ANSWER_MS_MAX));
      } catch (error) {
        return { is: 'failed', reason: reasonOf(error) };
      }
    });
  }

  override restMs(): number {
    return this.breaker.restMs();
  }

  override async close(): Promise<void> {
    this.channel.close();
  }

  private async headersOf(
    { kind, collapseId, ttlSeconds }: PushNotification,
    token: string,
  ): Promise<Record<string, string>> {
    const shown = kind === 'message';
    return {
      ':path': `/3/device/${encodeURIComponent(token)}`,
      authorization: `bearer ${await this.authorization()}`,
      'apns-topic': this.options.topic,
      'apns-push-type': shown ? 'alert' : 'background',
      'apns-priority': shown ? '10' : '5',
      'apns-expiration': String(Math.floor(Date.now() / 1_000) + ttlSeconds),
      'apns-collapse-id': collapseId,
      'content-type': 'application/json',
    };
  }

  private authorization(): Promise<string> {
    const now = Date.now();
    if (!this.token || now - this.token.at > TOKEN_MS) {
      const { keyId, teamId } = this.options;
      const text = new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM, kid: keyId })
        .setIssuer(teamId)
        .setIssuedAt(Math.floor(now / 1_000))
        .sign(this.key);
      this.token = { text, at: now };
    }
    return this.token.text;
  }

  private resultOf(answer: ServiceAnswer): PushResult {
    const { status, retryAfterMs } = answer;
    if (status === 200) return { is: 'sent' };
    const { reason: given } = jsonOf(answer);
    const named = typeof given === 'string' ? given : '';
    if (status === 410 || (status === 400 && DEAD_TOKEN.has(named))) return { is: 'gone' };
    if (status === 403 && named === 'ExpiredProviderToken') this.token = null;
    const reason = `${status} ${named}`.trim();
    // 403 is about this server's key, so it says nothing of the notification: somebody has to mend the configuration.
    const later = status === 403 || status === 429 || status >= 500;
    return later
      ? { is: 'failed', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
      : { is: 'refused', reason };
  }
}

function payloadOf({ kind, title, body, badge, conversationId, messageId, seq, senderId }: PushNotification): object {
  const parley = { type: kind, conversationId, messageId, seq, senderId, badge };
  if (kind === 'clear') return { aps: { 'content-available': 1 }, parley };
  const aps = { alert: { title, body }, badge, sound: 'default', 'thread-id': conversationId, 'mutable-content': 1 };
  return { aps, parley };
}
