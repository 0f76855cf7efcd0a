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
import { bulkhead, type BulkheadPolicy } from 'cockatiel';
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

/**
 * Browsers name the service, so each gets its own breaker, and none may take all places: all browsers of a vendor have one,
 * which is asked as much at a time as any other provider, and may have as many waiting for their turn.
 */
const SERVICES_REMEMBERED_MAX = 1_000;
const ASKED_PER_SERVICE_MAX = PUSH_IN_FLIGHT_MAX;
const WAITING_PER_SERVICE_MAX = ASKED_PER_SERVICE_MAX;
/** Of four services. */
const PLACES_MAX = 4 * (ASKED_PER_SERVICE_MAX + WAITING_PER_SERVICE_MAX);
/** What finds a service busy comes again after this, one after the other, so that a long line is not looked at all the time. */
const BUSY_MS = 250;
const BUSY_MS_MAX = 5_000;
const BUSY_APART_MS = 3;

interface PushService {
  breaker: ProviderBreaker;
  turns: BulkheadPolicy;
  /** When the last of those who found it busy comes again; milliseconds since the epoch. */
  lineEnd: number;
}

/**
 * Web Push (RFC 8030) with encrypted content (RFC 8291) and VAPID (RFC 8292). The encryption is `web-push`'s; the request
 * is made here, because that library's bounds neither the whole time nor the size of an answer.
 */
export class WebPushProvider extends PushProvider {
  override readonly name = 'webpush';
  override readonly inFlightMax = PLACES_MAX;
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
    const { turns, breaker } = this.serviceOf(new URL(subscription.endpoint).origin);
    return turns.execute(() => breaker.run(() => this.ask(notification, subscription)));
  }

  override busyMs({ endpoint }: WebPushSubscription): number {
    if (!URL.canParse(endpoint)) return 0;
    const service = this.services.get(new URL(endpoint).origin);
    if (!service || service.turns.queueSlots > PLACES_MAX - WAITING_PER_SERVICE_MAX) return 0;
    const now = Date.now();
    service.lineEnd = Math.min(Math.max(now + BUSY_MS, service.lineEnd + BUSY_APART_MS), now + BUSY_MS_MAX);
    return service.lineEnd - now;
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
      service = {
        breaker: new ProviderBreaker(this.options.breaker),
        turns: bulkhead(ASKED_PER_SERVICE_MAX, PLACES_MAX),
        lineEnd: 0,
      };
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
