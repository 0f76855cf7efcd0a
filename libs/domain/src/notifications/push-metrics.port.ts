import type { PushProviderName } from '@parley/contracts';

export const PUSH_PROVIDERS = ['apns', 'fcm', 'webpush'] as const satisfies PushProviderName[];

/** What became of a task: sent, tried later, its token dead, refused for good, or not needed any more. */
export const PUSH_OUTCOMES = ['sent', 'failed', 'gone', 'refused', 'dropped', 'rate_limited'] as const;
export type PushOutcome = (typeof PUSH_OUTCOMES)[number];

/** What pushing tells about itself. Returns at once and never throws, whatever it is told. */
export abstract class PushMetrics {
  abstract pushTask(provider: PushProviderName, outcome: PushOutcome): void;
  /** Notifications that the provider is being asked for by this process, and whether it is left alone after failures. */
  abstract pushInFlight(provider: PushProviderName, tasks: number, resting: boolean): void;
}

/** Forgets everything it is told. */
export class NoPushMetrics extends PushMetrics {
  override pushTask(): void {}
  override pushInFlight(): void {}
}
