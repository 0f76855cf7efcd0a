import { describe, expect, it } from 'vitest';
import { PUSH_OUTCOMES, PUSH_PROVIDERS, type PushMetrics } from './push-metrics.port.js';

/** What every recorder of the figures of push keeps to: it can neither stop nor slow a sender. */
export function pushMetricsContract(name: string, make: () => PushMetrics): void {
  describe(`push metrics: ${name}`, () => {
    it('never throws, whatever it is told', () => {
      const metrics = make();
      for (const provider of PUSH_PROVIDERS) {
        for (const outcome of PUSH_OUTCOMES) metrics.pushTask(provider, outcome);
        for (const odd of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) metrics.pushInFlight(provider, odd, true);
      }
      metrics.pushTask('pigeon' as 'fcm', 'lost' as 'sent');
      expect(metrics.pushInFlight('pigeon' as 'fcm', 1, false)).toBeUndefined();
    });
  });
}
