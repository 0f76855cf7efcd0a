import { describe, expect, it } from 'vitest';
import { RATE_LIMIT_NAMES, type DoorMetrics } from './door-metrics.port.js';

/** What every recorder of the doors' figures keeps to: it can neither stop nor slow a door. */
export function doorMetricsContract(name: string, make: () => DoorMetrics): void {
  describe(`door metrics: ${name}`, () => {
    it('never throws, whatever it is told', () => {
      const metrics = make();
      for (const odd of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        metrics.socketsConnected(odd);
        metrics.presenceSubscriptions(odd);
        metrics.presenceUpdates(odd);
        metrics.httpRequest('/v1/users/:id', 'GET', odd, odd);
      }
      for (const text of ['', '__proto__', 'constructor', 'x'.repeat(10_000), '"\n\\', '\ud800']) {
        metrics.socketEvent(text, text);
        metrics.httpRequest(text, text, 200, 1);
      }
      for (const limit of RATE_LIMIT_NAMES) metrics.rateLimited(limit);
      metrics.rateLimited('no_such_limit' as 'socket_events');
      metrics.sessionReportFailed();
      expect(metrics.slowConsumer()).toBeUndefined();
    });

    it('takes 50,000 socket events in a small part of a second', () => {
      const metrics = make();
      const began = performance.now();
      for (let event = 0; event < 50_000; event += 1) metrics.socketEvent('send_message', 'ok');
      expect(performance.now() - began).toBeLessThan(100);
    });
  });
}
