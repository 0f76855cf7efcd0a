import { describe, expect, it } from 'vitest';
import { HANDLER_OUTCOMES, type HandlerMetrics } from './handler-metrics.port.js';

/** What every recorder of the handlers' figures keeps to: it can neither stop nor slow a handler. */
export function handlerMetricsContract(name: string, make: () => HandlerMetrics): void {
  describe(`handler metrics: ${name}`, () => {
    it('never throws, whatever it is told', () => {
      const metrics = make();
      for (const outcome of HANDLER_OUTCOMES) metrics.handlerAttempt('push', outcome);
      metrics.handlerAttempt('__proto__', 'no-such-outcome' as 'handled');
      for (const odd of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) metrics.handlerBacklog('push', odd, odd);
      for (let other = 0; other < 1_000; other += 1) {
        metrics.handlerBacklog(`handler-${other}`, other, 0);
        metrics.handlerAttempt(`handler-${other}`, 'failed');
      }
      expect(metrics.handlerBacklog('"\n\\', 1, 1)).toBeUndefined();
    });
  });
}
