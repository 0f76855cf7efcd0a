import type { Device } from '@parley/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PushNotification } from './push-notification.js';
import type { PushProvider } from './push-provider.port.js';

/** What the service does with the next requests. */
export type ServiceBehaviour =
  | { is: 'accepts' | 'hangs' | 'cuts' | 'says-gone' | 'refuses' }
  | { is: 'fails'; status: 429 | 500 | 503; retryAfter?: string };

/** What arrived at a device, in the words of all services. */
export interface Arrived {
  kind: string;
  title: string | null;
  body: string | null;
  badge: number;
  collapseId: string;
  conversationId: string;
}

export interface PushProviderUnderTest {
  /** Gives up an answer after `answerMs`; rests after 3 failures in a row, `restMs` at first. */
  provider: PushProvider;
  answerMs: number;
  restMs: number;
  token: Device['pushToken'];
  behave: (behaviour: ServiceBehaviour) => void;
  arrived: Arrived[];
  /** Requests that reached the service, for which it wants notifications. */
  requests: () => number;
  /** The same service, whose certificate somebody signed whom this one does not trust. */
  distrustful: () => Promise<PushProvider>;
  close: () => Promise<void>;
}

const message: PushNotification = {
  kind: 'message',
  title: 'Engine room',
  body: 'Ada: “Grüße” 🚀',
  badge: 7,
  collapseId: '0190a6c45f3e7a419d2b3c6f1e8a7b91',
  conversationId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91',
  messageId: '764123456789012480',
  seq: 3,
  senderId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90',
  ttlSeconds: 3_600,
};
const clear: PushNotification = { ...message, kind: 'clear', title: null, body: null, senderId: null, badge: 0 };

/** What every way to a push service keeps to. */
export function pushProviderContract(name: string, make: () => Promise<PushProviderUnderTest>): void {
  describe(`push provider: ${name}`, () => {
    let opened: PushProviderUnderTest;
    const send = (notification = message) => opened.provider.send(notification, opened.token);
    beforeAll(async () => {
      opened = await make();
    });
    afterAll(() => opened.close());
    beforeEach(async () => {
      opened.behave({ is: 'accepts' });
      await vi.waitFor(async () => expect(await send()).toEqual({ is: 'sent' }), { timeout: 10_000, interval: 50 });
      opened.arrived.length = 0;
    });

    it('brings what a message shows, unharmed, and what takes it away', async () => {
      expect(await send()).toEqual({ is: 'sent' });
      expect(await send(clear)).toEqual({ is: 'sent' });
      const { kind, title, body, badge, collapseId, conversationId } = message;
      expect(opened.arrived).toEqual([
        { kind, title, body, badge, collapseId, conversationId },
        { kind: 'clear', title: null, body: null, badge: 0, collapseId, conversationId },
      ]);
    });

    it('brings many at the same time', async () => {
      const results = await Promise.all(Array.from({ length: 8 }, () => send()));
      expect(results.filter(({ is }) => is === 'sent')).toHaveLength(8);
      expect(opened.arrived).toHaveLength(8);
    });

    it('says of a dead token that it is gone, and of what is never taken that it is refused', async () => {
      opened.behave({ is: 'says-gone' });
      expect(await send()).toEqual({ is: 'gone' });
      opened.behave({ is: 'refuses' });
      expect(await send()).toMatchObject({ is: 'refused', reason: expect.stringMatching(/\d{3}/) });
      expect(opened.provider.restMs()).toBe(0);
    });

    it.each([
      ['too many', { is: 'fails', status: 429, retryAfter: '7' }, 7_000],
      ['an outage of known length', { is: 'fails', status: 503, retryAfter: '3' }, 3_000],
    ] as const)('does not ask again before the service says so: %s', async (_what, behaviour, retryAfterMs) => {
      opened.behave(behaviour);
      expect(await send()).toMatchObject({ is: 'failed', retryAfterMs });
    });

    it('reads the time after which to ask again as a date too', async () => {
      opened.behave({ is: 'fails', status: 503, retryAfter: new Date(Date.now() + 60_000).toUTCString() });
      const result = await send();
      expect(result.is === 'failed' && result.retryAfterMs).toBeGreaterThan(50_000);
    });

    it('fails in its time when the service hangs', async () => {
      opened.behave({ is: 'hangs' });
      const began = performance.now();
      expect(await send()).toMatchObject({ is: 'failed' });
      expect(performance.now() - began).toBeLessThan(opened.answerMs + 2_000);
    });

    it('fails when the connection is cut, and makes another', async () => {
      opened.behave({ is: 'cuts' });
      expect(await send()).toMatchObject({ is: 'failed' });
      opened.behave({ is: 'accepts' });
      expect(await send()).toEqual({ is: 'sent' });
    });

    it('leaves a service alone after failures in a row, and finds by itself that it works again', async () => {
      opened.behave({ is: 'fails', status: 500 });
      for (let failures = 0; failures < 3; failures += 1) expect(await send()).toMatchObject({ is: 'failed' });
      const before = opened.requests();
      const alone = await send();
      expect(alone).toMatchObject({ is: 'failed' });
      expect(alone.is === 'failed' && alone.retryAfterMs).toBeGreaterThan(0);
      expect(opened.requests()).toBe(before);
      opened.behave({ is: 'accepts' });
      await vi.waitFor(async () => expect(await send()).toEqual({ is: 'sent' }), {
        timeout: opened.restMs * 20,
        interval: 20,
      });
    });

    it('tells nothing to a service whose certificate it does not trust', async () => {
      const provider = await opened.distrustful();
      const before = opened.requests();
      expect(await provider.send(message, opened.token)).toMatchObject({ is: 'failed' });
      expect(opened.requests()).toBe(before);
      await provider.close();
    });
  });
}
