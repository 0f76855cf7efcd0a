import { describe, expect, it } from 'vitest';
import { PARTITION_OWNER_STATES, type PipelineMetrics } from './pipeline-metrics.port.js';

const oddNumbers = [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_VALUE];

/** What every recorder of the pipeline's figures keeps to: it can neither stop nor slow the pipeline. */
export function pipelineMetricsContract(name: string, make: () => PipelineMetrics): void {
  describe(`pipeline metrics: ${name}`, () => {
    it('never throws, whatever it is told', () => {
      const metrics = make();
      for (const odd of oddNumbers) {
        metrics.batchCommitted(odd, odd);
        metrics.messagesSent(odd);
        metrics.messageDelivered(odd);
        metrics.liveDeliveries(odd, true);
        metrics.deadLettered(odd);
        metrics.messagesReappended(odd);
        for (const state of PARTITION_OWNER_STATES) metrics.partitionOwnerState(odd, state);
      }
      metrics.commandRefused('forbidden');
      metrics.commandRefused('no_such_code' as 'forbidden');
      metrics.partitionOwnerState(0, 'no_such_state' as 'owning');
      expect(metrics.messagesSent(1)).toBeUndefined();
    });

    it('takes what 8,000 messages a second to ten devices each say, in a small part of the second', () => {
      const metrics = make();
      const began = performance.now();
      for (let message = 0; message < 8_000; message += 1) {
        metrics.messagesSent(1);
        metrics.liveDeliveries(10, false);
        for (let device = 0; device < 10; device += 1) metrics.messageDelivered(message % 40);
      }
      // 96,000 calls at the promised microsecond each; a busy machine gets twice that.
      expect(performance.now() - began).toBeLessThan(192);
    });
  });
}
