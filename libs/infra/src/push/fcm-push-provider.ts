import { Agent } from 'node:https';
import {
  PUSH_ANSWER_MS_MAX,
  PUSH_IN_FLIGHT_MAX,
  type PushNotification,
  PushProvider,
  type PushResult,
} from '@parley/domain';
import { FcmAccess, type ServiceAccount } from './fcm-access.js';
import { post } from './https-request.js';
import { type BreakerOptions, ProviderBreaker } from './provider-breaker.js';
import { jsonOf, reasonOf, type ServiceAnswer } from './service-answer.js';

export interface FcmOptions {
  /** `https://fcm.googleapis.com`, or a server that speaks the same. */
  url: string;
  account: ServiceAccount;
  ca?: readonly string[] | undefined;
  answerMs?: number;
  breaker?: BreakerOptions;
}

/** Without a `Retry-After` Google asks to wait this long after "too many". */
const QUOTA_WAIT_MS = 60_000;

/** Google's service by its HTTP v1 interface. */
export class FcmPushProvider extends PushProvider {
  override readonly name = 'fcm';
  private readonly breaker: ProviderBreaker;
  private readonly url: URL;

  private constructor(
    private readonly options: FcmOptions,
    private readonly access: FcmAccess,
    private readonly agent: Agent,
  ) {
    super();
    this.breaker = new ProviderBreaker(options.breaker);
    this.url = new URL(`/v1/projects/${encodeURIComponent(options.account.project_id)}/messages:send`, options.url);
  }

  /** @throws Error when the account's key cannot be read */
  static async open(options: FcmOptions): Promise<FcmPushProvider> {
    const agent = new Agent({
      keepAlive: true,
      maxSockets: PUSH_IN_FLIGHT_MAX,
      ...(options.ca && { ca: [...options.ca] }),
    });
    return new FcmPushProvider(options, await FcmAccess.open(options.account, agent), agent);
  }

  override send(notification: PushNotification, pushToken: string): Promise<PushResult> {
    return this.breaker.run(async () => {
      try {
        return await this.ask(notification, pushToken);
      } catch (error) {
        return { is: 'failed', reason: reasonOf(error) };
      }
    });
  }

  override restMs(): number {
    return this.breaker.restMs();
  }

  override async close(): Promise<void> {
    this.agent.destroy();
  }

  private async ask(notification: PushNotification, token: string): Promise<PushResult> {
    const withinMs = this.options.answerMs ?? PUSH_ANSWER_MS_MAX;
    const began = Date.now();
    const access = await this.access.get(withinMs);
    const left = withinMs - (Date.now() - began);
    if (left <= 0) throw new Error(`no answer within ${withinMs} ms`);
    const headers = { authorization: `Bearer ${access}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ message: messageOf(notification, token) });
    return this.resultOf(await post(this.url, { headers, body, agent: this.agent, withinMs: left }));
  }

  private resultOf(answer: ServiceAnswer): PushResult {
    const { status, retryAfterMs } = answer;
    if (status === 200) return { is: 'sent' };
    const { code, message } = errorOf(answer);
    // A 404 without that code is a wrong project or a wrong address, and says nothing of the device.
    if (code === 'UNREGISTERED' || code === 'SENDER_ID_MISMATCH') return { is: 'gone' };
    if (status === 400 && /registration token/i.test(message)) return { is: 'gone' };
    if (status === 401) this.access.forget();
    const reason = `${status} ${code}`.trim();
    if (status === 429) return { is: 'failed', reason, retryAfterMs: retryAfterMs ?? QUOTA_WAIT_MS };
    const later = status === 401 || status === 403 || status === 404 || status >= 500;
    return later
      ? { is: 'failed', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
      : { is: 'refused', reason };
  }
}

/** The service's own code where it gives one, else the general one. */
function errorOf(answer: ServiceAnswer): { code: string; message: string } {
  const error = jsonOf(answer)['error'] as
    { status?: string; message?: string; details?: { errorCode?: string }[] } | undefined;
  const details = Array.isArray(error?.details) ? error.details : [];
  const code = details.find((detail) => typeof detail?.errorCode === 'string')?.errorCode ?? error?.status;
  return { code: String(code ?? ''), message: String(error?.message ?? '') };
}

function messageOf(notification: PushNotification, token: string): object {
  const { kind, title, body, badge, collapseId, conversationId, messageId, seq, senderId, ttlSeconds } = notification;
  const data = {
    type: kind,
    conversationId,
    messageId,
    seq: String(seq),
    badge: String(badge),
    ...(senderId !== null && { senderId }),
  };
  const android = { collapse_key: collapseId, ttl: `${ttlSeconds}s` };
  if (kind === 'clear') return { token, data, android: { ...android, priority: 'NORMAL' } };
  return {
    token,
    data,
    notification: { title, body },
    android: { ...android, priority: 'HIGH', notification: { tag: collapseId, notification_count: badge } },
    apns: { headers: { 'apns-collapse-id': collapseId }, payload: { aps: { badge, sound: 'default' } } },
    webpush: { headers: { Topic: collapseId, Urgency: 'high' }, notification: { tag: collapseId } },
  };
}
