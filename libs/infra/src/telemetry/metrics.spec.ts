import { describe, expect, it } from 'vitest';
import { doorMetricsContract } from '../../../domain/src/ports/door-metrics.port.contract.js';
import { handlerMetricsContract } from '../../../domain/src/ports/handler-metrics.port.contract.js';
import { pushMetricsContract } from '../../../domain/src/notifications/push-metrics.port.contract.js';
import { pipelineMetricsContract } from '../../../domain/src/ports/pipeline-metrics.port.contract.js';
import { Metrics } from './metrics.js';

pipelineMetricsContract('for Prometheus', () => new Metrics());
doorMetricsContract('for Prometheus', () => new Metrics());
handlerMetricsContract('for Prometheus', () => new Metrics());
pushMetricsContract('for Prometheus', () => new Metrics());

async function linesOf(metrics: Metrics): Promise<string[]> {
  return (await metrics.text()).split('\n');
}

describe('the metrics', () => {
  it('are all there before anything happens, with their types', async () => {
    const text = await new Metrics().text();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(types.toSorted()).toEqual([
      'command_batch_records histogram',
      'command_log_lag_records gauge',
      'command_log_partitions gauge',
      'commit_duration_ms histogram',
      'dead_letters_total counter',
      'event_handler_attempts_total counter',
      'event_handler_held_events gauge',
      'event_handler_lag_records gauge',
      'health_part_up gauge',
      'http_request_duration_ms histogram',
      'live_deliveries_total counter',
      'message_delivery_latency_ms histogram',
      'messages_reappended_total counter',
      'messages_sent_total counter',
      'partition_lag_records gauge',
      'partition_owner_state gauge',
      'presence_subscriptions gauge',
      'presence_updates_total counter',
      'push_in_flight gauge',
      'push_notifications_total counter',
      'push_provider_resting gauge',
      'rate_limited_total counter',
      'refused_commands_total counter',
      'resent_deliveries_total counter',
      'session_reports_failed_total counter',
      'slow_consumers_total counter',
      'socket_events_total counter',
      'troubles_total counter',
      'websocket_connections gauge',
    ]);
    expect(text).toContain('messages_sent_total 0');
  });

  it('say what they were told', async () => {
    const metrics = new Metrics();
    metrics.messagesSent(3);
    metrics.messagesSent(2);
    metrics.socketsConnected(7);
    metrics.liveDeliveries(10, false);
    metrics.liveDeliveries(2, true);
    metrics.watchLogLag(() => 12);
    metrics.watchPartitionLags(
      () =>
        new Map([
          [0, 3],
          [1_023, 9],
          [1_024, 7],
          [-1, 7],
        ]),
    );
    metrics.deadLettered(1);
    metrics.commandRefused('forbidden');
    metrics.rateLimited('sends_per_user');
    metrics.slowConsumer();
    metrics.handlerAttempt('push', 'handled');
    metrics.pushTask('apns', 'gone');
    metrics.pushInFlight('fcm', 3, true);
    metrics.handlerBacklog('push', 4, 2);
    metrics.partitionOwnerState(3, 'owning');
    metrics.socketEvent('send_message', 'ok');
    metrics.socketEvent('send_message', 'rate_limited');
    expect(await linesOf(metrics)).toEqual(
      expect.arrayContaining([
        'messages_sent_total 5',
        'websocket_connections 7',
        'live_deliveries_total 10',
        'resent_deliveries_total 2',
        'command_log_lag_records 12',
        'partition_lag_records{partition="0"} 3',
        'partition_lag_records{partition="1023"} 9',
        'dead_letters_total 1',
        'refused_commands_total{code="forbidden"} 1',
        'rate_limited_total{limit="sends_per_user"} 1',
        'slow_consumers_total 1',
        'event_handler_attempts_total{handler="push",outcome="handled"} 1',
        'event_handler_attempts_total{handler="push",outcome="dead_lettered"} 0',
        'push_notifications_total{provider="apns",outcome="gone"} 1',
        'push_in_flight{provider="fcm"} 3',
        'push_provider_resting{provider="fcm"} 1',
        'event_handler_lag_records{handler="push"} 4',
        'event_handler_held_events{handler="push"} 2',
        'partition_owner_state{partition="3"} 1',
        'socket_events_total{event="send_message",outcome="ok"} 1',
        'socket_events_total{event="send_message",outcome="rate_limited"} 1',
      ]),
    );
  });

  it('show a partition only while this process owns it, and no more of them than there can be', async () => {
    const metrics = new Metrics();
    let owned = new Map(Array.from({ length: 5_000 }, (_, partition) => [partition, 1]));
    metrics.watchPartitionLags(() => owned);
    const shown = async (): Promise<string[]> =>
      (await linesOf(metrics)).filter((line) => line.startsWith('partition_lag_records{'));
    expect(await shown()).toHaveLength(1_024);
    owned = new Map([[7, 0]]);
    expect(await shown()).toEqual(['partition_lag_records{partition="7"} 0']);
  });

  it('have cumulative buckets whose bounds belong to the bucket below', async () => {
    const metrics = new Metrics();
    for (const latencyMs of [1, 1.1, 25, 60_000, -3, Number.NaN]) metrics.messageDelivered(latencyMs);
    expect(await linesOf(metrics)).toEqual(
      expect.arrayContaining([
        'message_delivery_latency_ms_bucket{le="0.5"} 1',
        'message_delivery_latency_ms_bucket{le="1"} 2',
        'message_delivery_latency_ms_bucket{le="2"} 3',
        'message_delivery_latency_ms_bucket{le="25"} 4',
        'message_delivery_latency_ms_bucket{le="5000"} 4',
        'message_delivery_latency_ms_bucket{le="+Inf"} 5',
        'message_delivery_latency_ms_sum 60027.1',
        'message_delivery_latency_ms_count 5',
      ]),
    );
  });

  it('count what no list knows under one label, so that clients cannot make series', async () => {
    const metrics = new Metrics();
    for (let index = 0; index < 500; index += 1) metrics.socketEvent(`made_up_${index}`, `odd_${index}`);
    const lines = (await linesOf(metrics)).filter((line) => line.startsWith('socket_events_total{'));
    expect(lines).toEqual(['socket_events_total{event="unknown",outcome="other"} 500']);
  });

  it('keep the number of HTTP series bounded even if ids come in as routes', async () => {
    const metrics = new Metrics();
    for (let index = 0; index < 5_000; index += 1) metrics.httpRequest(`/v1/users/${index}`, 'GET', 200, 1);
    const counts = (await linesOf(metrics)).filter((line) => line.startsWith('http_request_duration_ms_count'));
    expect(counts).toHaveLength(1_001);
    expect(counts).toContain('http_request_duration_ms_count{route="other",method="GET",status="200"} 4000');
  });

  it('report the lag of the event loop', async () => {
    expect(await new Metrics().withProcessFigures().text()).toContain('nodejs_eventloop_lag_p99_seconds');
  });
});
