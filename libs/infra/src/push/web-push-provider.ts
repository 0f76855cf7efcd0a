import { Agent } from 'node:https';
import type { WebPushSubscription } from '@parley/contracts';
import {
  PUSH_ANSWER_MS_MAX,
  PUSH_IN_FLIGHT_MAX,
  pushEndpointProblem,
  type PushNotification,
  PushProvider,
  type PushResult,
} from '@parley/domain';
import { LRUCache } from 'lru-cache';
import webpush from 'web-push';
import { post } from './https-request.js';
import { type BreakerOptions, ProviderBreaker } from './provider-breaker.js';
import { publicLookup } from './public-lookup.js';
import { reasonOf, type ServiceAnswer } from './service-answer.js';
import type { VapidKeys } from './vapid-keys.js';

export interface WebPushOptions {
  keys: VapidKeys;
  /** `mailto:` or `https:`: whom a push service may turn to. */
  subject: string;
  /** Endpoints on this machine and in private networks are called too. */
  arePrivateEndpointsAllowed: boolean;
  ca?: readonly string[] | undefined;
  answerMs?: number;
  breaker?: BreakerOptions;
}

/** Browsers name the service, so each gets its own breaker, and none may take all places. */
const SERVICES_REMEMBERED_MAX = 1_000;
const IN_FLIGHT_PER_SERVICE_MAX = PUSH_IN_FLIGHT_MAX / 4;
const BUSY_WAIT_MS = 1_000;

interface PushService {
  breaker: ProviderBreaker;
  inFlight: number;
}

/**
 * Web Push (RFC 8030) with encrypted content (RFC 8291) and VAPID (RFC 8292). The encryption is `web-push`'s; the request
 * is made here, because that library's bounds neither the whole time nor the size of an answer.
 */
export class WebPushProvider extends PushProvider {
  override readonly name = 'webpush';
  private readonly services = new LRUCache<string, PushService>({ max: SERVICES_REMEMBERED_MAX });
  private readonly agent: Agent;

  constructor(private readonly options: WebPushOptions) {
    super();
    const { ca, arePrivateEndpointsAllowed } = options;
    this.agent = new Agent({
      keepAlive: true,
      maxFreeSockets: PUSH_IN_FLIGHT_MAX,
      ...(ca && { ca: [...ca] }),
      ...(!arePrivateEndpointsAllowed && { lookup: publicLookup }),
    });
  }

  override async send(notification: PushNotification, subscription: WebPushSubscription): Promise<PushResult> {
    const problem = pushEndpointProblem(subscription.endpoint, this.options.arePrivateEndpointsAllowed);
    if (problem) return { is: 'gone' };
    const service = this.serviceOf(new URL(subscription.endpoint).origin);
    if (service.inFlight >= IN_FLIGHT_PER_SERVICE_MAX) {
      return { is: 'failed', reason: 'has enough to do', retryAfterMs: BUSY_WAIT_MS };
    }
    service.inFlight += 1;
    try {
      return await service.breaker.run(() => this.ask(notification, subscription));
    } finally {
      service.inFlight -= 1;
    }
  }

  /** Each service rests on its own. */
  override restMs(): number {
    return 0;
  }

  override async close(): Promise<void> {
    this.agent.destroy();
  }

  private serviceOf(origin: string): PushService {
    let service = this.services.get(origin);
    if (!service) {
      service = { breaker: new ProviderBreaker(this.options.breaker), inFlight: 0 };
      this.services.set(origin, service);
    }
    return service;
  }

  private async ask(notification: PushNotification, subscription: WebPushSubscription): Promise<PushResult> {
    let request: webpush.RequestDetails;
    try {
      request = this.encrypted(notification, subscription);
    } catch {
      // Its keys are none: nothing could ever be sent to it.
      return { is: 'gone' };
    }
    const { headers, body } = request;
    const withinMs = this.options.answerMs ?? PUSH_ANSWER_MS_MAX;
    try {
      const to = new URL(subscription.endpoint);
      return resultOf(
        await post(to, { headers: headers as Record<string, string>, body, agent: this.agent, withinMs }),
      );
    } catch (error) {
      return { is: 'failed', reason: reasonOf(error) };
    }
  }

  private encrypted(notification: PushNotification, { endpoint, keys }: WebPushSubscription): webpush.RequestDetails {
    const { kind, title, body, badge, collapseId, conversationId, messageId, seq, senderId, ttlSeconds } = notification;
    const content = { type: kind, title, body, badge, tag: collapseId, conversationId, messageId, seq, senderId };
    const { publicKey, privateKey } = this.options.keys;
    return webpush.generateRequestDetails({ endpoint, keys }, JSON.stringify(content), {
      vapidDetails: { subject: this.options.subject, publicKey, privateKey },
      contentEncoding: 'aes128gcm',
      TTL: ttlSeconds,
      urgency: kind === 'message' ? 'high' : 'normal',
      topic: collapseId,
    });
  }
}

function resultOf({ status, retryAfterMs }: ServiceAnswer): PushResult {
  if (status >= 200 && status < 300) return { is: 'sent' };
  if (status === 404 || status === 410) return { is: 'gone' };
  const reason = String(status);
  return status === 429 || status >= 500
    ? { is: 'failed', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
    : { is: 'refused', reason };
}
