import { CLIENT_EVENTS, ERROR_CODE_NAMES, type ErrorCode } from '@parley/contracts';
import {
  HANDLER_OUTCOMES,
  PARTITION_OWNER_STATES,
  PUSH_OUTCOMES,
  PUSH_PROVIDERS,
  RATE_LIMIT_NAMES,
  type DoorMetrics,
  type HandlerMetrics,
  type HandlerOutcome,
  type PartitionOwnerState,
  type PipelineMetrics,
  type PushMetrics,
  type PushOutcome,
  type RateLimitName,
} from '@parley/domain';
import { collectDefaultMetrics, Registry, type Metric } from 'prom-client';
import type { HealthChecks } from './health-checks.js';
import { HttpDurations } from './http-durations.js';
import {
  Counter,
  Gauge,
  Histogram,
  LabelledCounter,
  NamedCounter,
  NamedGauge,
  OutcomeCounter,
  PartitionGauge,
  PartsGauge,
  type Series,
} from './series.js';

const LATENCY_BOUNDS_MS = [0.5, 1, 2, 3, 5, 7.5, 10, 15, 25, 50, 100, 250, 500, 1_000, 5_000];
const BATCH_BOUNDS_RECORDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];
const COMMIT_BOUNDS_MS = [0.5, 1, 2, 3, 5, 7.5, 10, 15, 25, 50, 100, 250, 1_000, 5_000];
/** Kinds of failures that are told apart. */
const TROUBLES_MAX = 64;
/** A message id has ten bits for the partition. */
const PARTITIONS_MAX = 1_024;
const HANDLERS_MAX = 100;

/** Every figure of this system that Prometheus reads, by name, in one place. Safe to call from the hottest paths. */
export class Metrics implements PipelineMetrics, DoorMetrics, HandlerMetrics, PushMetrics {
  private readonly registry = new Registry();

  private readonly connections = this.add(new Gauge('websocket_connections', 'Sockets that are connected now.'));
  private readonly deliveryLatency = this.add(
    new Histogram(
      'message_delivery_latency_ms',
      'Time from the arrival of a send command to the write of its message to a socket, in milliseconds.',
      LATENCY_BOUNDS_MS,
    ),
  );
  private readonly sent = this.add(new Counter('messages_sent_total', 'New messages that became lasting.'));
  private readonly lag = this.add(
    new Gauge('command_log_lag_records', 'Records of the command log that are not applied yet.'),
  );
  private readonly partitionLags = this.add(
    new PartitionGauge(
      'partition_lag_records',
      'By owned partition: records of the command log whose outcome is not in the read models yet.',
      PARTITIONS_MAX,
    ),
  );
  private readonly batchRecords = this.add(
    new Histogram('command_batch_records', 'Records in one committed batch.', BATCH_BOUNDS_RECORDS),
  );
  private readonly commitDuration = this.add(
    new Histogram('commit_duration_ms', 'Time that one batch took to commit, in milliseconds.', COMMIT_BOUNDS_MS),
  );
  private readonly live = this.add(new Counter('live_deliveries_total', 'Messages written to sockets the first time.'));
  private readonly resent = this.add(
    new Counter('resent_deliveries_total', 'Messages written to sockets again because nobody acked them.'),
  );
  private readonly deadLetters = this.add(
    new Counter('dead_letters_total', 'Records that were set aside as unusable.'),
  );
  private readonly reappended = this.add(
    new Counter(
      'messages_reappended_total',
      'Messages that were appended to the message store again after a part of it was away.',
    ),
  );
  private readonly refused = this.add(
    new LabelledCounter('refused_commands_total', 'Commands that were refused.', [
      ['code', [...ERROR_CODE_NAMES, 'other']],
    ]),
  );
  private readonly events = this.add(
    new LabelledCounter('socket_events_total', 'Events of clients that were answered.', [
      ['event', [...Object.keys(CLIENT_EVENTS), 'unknown']],
      ['outcome', ['ok', ...ERROR_CODE_NAMES, 'other']],
    ]),
  );
  private readonly slow = this.add(
    new Counter('slow_consumers_total', 'Sockets closed because their reader was too slow.'),
  );
  private readonly limited = this.add(
    new LabelledCounter('rate_limited_total', 'Requests, events and handshakes over a limit.', [
      ['limit', [...RATE_LIMIT_NAMES, 'other']],
    ]),
  );
  private readonly presences = this.add(
    new Gauge('presence_subscriptions', 'Pairs of a socket and a user whose presence it is told of.'),
  );
  private readonly presenceChanges = this.add(
    new Counter('presence_updates_total', 'Changes of presence that were written to sockets.'),
  );
  private readonly failedReports = this.add(
    new Counter('session_reports_failed_total', 'Reports of sessions that the registry did not take.'),
  );
  private readonly partitions = this.add(
    new Gauge('command_log_partitions', 'Partitions of the command log: each should have its owner somewhere.'),
  );
  private readonly parts = this.add(
    new PartsGauge('health_part_up', 'What this process needs, and `process` for whether it is ready: 1 or 0.', 'part'),
  );
  private readonly troubles = this.add(
    new NamedCounter('troubles_total', 'Failures that the process lives through.', 'what', TROUBLES_MAX),
  );
  private readonly http = this.add(new HttpDurations());
  private readonly owners = this.add(
    new PartitionGauge(
      'partition_owner_state',
      `State of each partition's owner: ${PARTITION_OWNER_STATES.map((state, index) => `${index} ${state}`).join(', ')}.`,
      PARTITIONS_MAX,
    ),
  );

  private readonly handlerAttempts = this.add(
    new OutcomeCounter(
      'event_handler_attempts_total',
      'Attempts of durable event handlers, and what became of them.',
      { label: 'handler', max: HANDLERS_MAX },
      HANDLER_OUTCOMES,
    ),
  );
  private readonly handlerLag = this.add(
    new NamedGauge(
      'event_handler_lag_records',
      'Decided records that a handler has not come to, in this process.',
      'handler',
      HANDLERS_MAX,
    ),
  );
  private readonly handlerHeld = this.add(
    new NamedGauge(
      'event_handler_held_events',
      'Events that wait for another attempt, or behind one of their conversation.',
      'handler',
      HANDLERS_MAX,
    ),
  );

  private readonly pushTasks = this.add(
    new LabelledCounter('push_notifications_total', 'Notifications that came to a provider, and what became of them.', [
      ['provider', [...PUSH_PROVIDERS, 'other']],
      ['outcome', [...PUSH_OUTCOMES, 'other']],
    ]),
  );
  private readonly pushUnderWay = this.add(
    new NamedGauge('push_in_flight', 'Notifications that a provider is being asked for.', 'provider', HANDLERS_MAX),
  );
  private readonly pushResting = this.add(
    new NamedGauge(
      'push_provider_resting',
      '1 while a provider is left alone after failures.',
      'provider',
      HANDLERS_MAX,
    ),
  );

  /** Also reports memory, CPU, garbage collection and the lag of the event loop. For one instance in a process. */
  withProcessFigures(): this {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 20 });
    return this;
  }

  /** `lagRecords` is asked at each scrape: how many records of the command log are not applied yet. */
  watchLogLag(lagRecords: () => number): void {
    this.lag.readFrom(lagRecords);
  }

  /** Each scrape asks for the partitions that this process owns. */
  watchPartitionLags(lagRecords: () => ReadonlyMap<number, number>): void {
    this.partitionLags.readFrom(lagRecords);
  }

  /** Each scrape asks what the process needs, as readiness does. */
  watchHealth(health: HealthChecks): void {
    this.parts.readFrom(() => health.parts());
  }

  /** How many partitions the log has. */
  logPartitions(count: number): void {
    this.partitions.set(count);
  }

  /** @param what the kind of failure, in words that do not change */
  trouble(what: string): void {
    this.troubles.add(what);
  }

  /** The text that Prometheus scrapes. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  batchCommitted(records: number, durationMs: number): void {
    this.batchRecords.observe(records);
    this.commitDuration.observe(durationMs);
  }

  messagesSent(count: number): void {
    this.sent.add(count);
  }

  messageDelivered(latencyMs: number): void {
    this.deliveryLatency.observe(latencyMs);
  }

  messagesReappended(count: number): void {
    this.reappended.add(count);
  }

  liveDeliveries(count: number, resent: boolean): void {
    (resent ? this.resent : this.live).add(count);
  }

  deadLettered(count: number): void {
    this.deadLetters.add(count);
  }

  commandRefused(code: ErrorCode): void {
    this.refused.add(code);
  }

  partitionOwnerState(partition: number, state: PartitionOwnerState): void {
    const index = PARTITION_OWNER_STATES.indexOf(state);
    if (index >= 0) this.owners.set(partition, index);
  }

  socketsConnected(count: number): void {
    this.connections.set(count);
  }

  socketEvent(event: string, outcome: string): void {
    this.events.add(event, outcome);
  }

  slowConsumer(): void {
    this.slow.add(1);
  }

  rateLimited(limit: RateLimitName): void {
    this.limited.add(limit);
  }

  presenceSubscriptions(count: number): void {
    this.presences.set(count);
  }

  presenceUpdates(count: number): void {
    this.presenceChanges.add(count);
  }

  sessionReportFailed(): void {
    this.failedReports.add(1);
  }

  httpRequest(route: string, method: string, status: number, durationMs: number): void {
    this.http.observe(route, method, status, durationMs);
  }

  handlerAttempt(handler: string, outcome: HandlerOutcome): void {
    this.handlerAttempts.add(handler, outcome);
  }

  handlerBacklog(handler: string, lagRecords: number, heldEvents: number): void {
    this.handlerLag.set(handler, lagRecords);
    this.handlerHeld.set(handler, heldEvents);
  }

  pushTask(provider: string, outcome: PushOutcome): void {
    this.pushTasks.add(provider, outcome);
  }

  pushInFlight(provider: string, tasks: number, resting: boolean): void {
    this.pushUnderWay.set(provider, tasks);
    this.pushResting.set(provider, resting ? 1 : 0);
  }

  private add<Kind extends Series>(series: Kind): Kind {
    this.registry.registerMetric(series as unknown as Metric);
    return series;
  }
}
