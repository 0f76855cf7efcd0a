import { randomUUID } from 'node:crypto';
import type { PushProviderName } from '@parley/contracts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemoryRateLimiter } from '../../../infra/src/memory/memory-rate-limiter.js';
import { NoPushMetrics } from './push-metrics.port.js';
import { PUSH_TTL_SECONDS, type PushNotification, pushNotificationOf, type PushTask } from './push-notification.js';
import { PushOutbox, type TaskEnd } from './push-outbox.port.js';
import { PUSH_IN_FLIGHT_MAX, PushProvider, type PushResult } from './push-provider.port.js';
import { PushSender } from './push-sender.js';

function taskOf(more: Partial<PushTask> = {}): PushTask {
  const ids = { userId: randomUUID(), deviceId: randomUUID(), conversationId: randomUUID(), claim: randomUUID() };
  const message = { seq: 1, messageId: '1', senderId: randomUUID(), senderName: 'Ada', contentType: 'text' as const };
  const shown = { badge: 1, preview: 'Hello', conversationType: 'direct' as const, conversationName: null };
  const state = { attempt: 1, isSuperfluous: false, ageMs: 0 };
  return { kind: 'message', provider: 'fcm', pushToken: 'token', ...ids, ...message, ...shown, ...state, ...more };
}

/** Gives the tasks of a list, and remembers how they ended. */
class ListedTasks extends PushOutbox {
  readonly ends: [task: PushTask, end: TaskEnd][] = [];

  constructor(readonly tasks: PushTask[]) {
    super();
  }

  override async claim(provider: PushProviderName, limit: number): Promise<PushTask[]> {
    const mine = this.tasks.filter((task) => task.provider === provider).slice(0, limit);
    for (const task of mine) this.tasks.splice(this.tasks.indexOf(task), 1);
    return mine;
  }
  override async finish(task: PushTask, end: TaskEnd): Promise<void> {
    this.ends.push([task, end]);
  }
  override hasDevices = (): Promise<boolean> => Promise.resolve(true);
  override recipients = (): Promise<string[]> => Promise.resolve([]);
  override add = (): Promise<void> => Promise.resolve();
  override edited = (): Promise<void> => Promise.resolve();
  override deleted = (): Promise<void> => Promise.resolve();
  override read = (): Promise<void> => Promise.resolve();
}

class ScriptedProvider extends PushProvider {
  readonly sent: PushNotification[] = [];
  most = 0;
  rest = 0;
  busy = 0;
  private running = 0;
  readonly closed = Promise.withResolvers<void>();

  constructor(
    override readonly name: PushProviderName,
    private readonly answer: () => Promise<PushResult> | PushResult,
  ) {
    super();
  }

  override async send(notification: PushNotification): Promise<PushResult> {
    this.most = Math.max(this.most, ++this.running);
    this.sent.push(notification);
    try {
      return await this.answer();
    } finally {
      this.running -= 1;
    }
  }
  override restMs(): number {
    return this.rest;
  }
  override busyMs(): number {
    return this.busy;
  }
  override async close(): Promise<void> {
    this.closed.resolve();
  }
}

describe('the sender', () => {
  let sender: PushSender;
  afterEach(() => sender.stop());

  const troubles: string[] = [];
  function start(outbox: PushOutbox, providers: PushProvider[], perUser = { limit: 1_000, windowMs: 60_000 }): void {
    const parts = { outbox, providers, limiter: new MemoryRateLimiter(), metrics: new NoPushMetrics() };
    sender = new PushSender(parts, { perUser, onTrouble: (what) => troubles.push(what), idleMs: 5 });
    troubles.length = 0;
    sender.start();
  }

  async function endsOf(outbox: ListedTasks, count: number): Promise<TaskEnd[]> {
    await vi.waitFor(() => expect(outbox.ends).toHaveLength(count));
    return outbox.ends.map(([, end]) => end);
  }

  it.each([
    [{ is: 'sent' }, { is: 'sent' }],
    [{ is: 'gone' }, { is: 'gone' }],
    [{ is: 'refused', reason: '413' }, { is: 'dropped' }],
  ] satisfies [PushResult, TaskEnd][])('ends a task as its provider answers: %o', async (result, end) => {
    const outbox = new ListedTasks([taskOf()]);
    start(outbox, [new ScriptedProvider('fcm', () => result)]);
    expect(await endsOf(outbox, 1)).toEqual([end]);
  });

  it('tries later what failed: with growing pauses, and not before the provider wants it', async () => {
    const tasks = [taskOf(), taskOf({ attempt: 5 }), taskOf({ attempt: 50 })];
    const outbox = new ListedTasks(tasks);
    start(outbox, [new ScriptedProvider('fcm', () => ({ is: 'failed', reason: '500' }))]);
    const [first, fifth, fiftieth] = (await endsOf(outbox, 3)).map((end) => (end.is === 'again' ? end.inMs : -1));
    expect(first).toBeGreaterThanOrEqual(500);
    expect(first).toBeLessThanOrEqual(1_000);
    expect(fifth).toBeGreaterThanOrEqual(8_000);
    expect(fiftieth).toBeLessThanOrEqual(5 * 60_000);
    await sender.stop();

    const wanted = new ListedTasks([taskOf()]);
    start(wanted, [new ScriptedProvider('fcm', () => ({ is: 'failed', reason: '429', retryAfterMs: 77_000 }))]);
    expect(await endsOf(wanted, 1)).toEqual([{ is: 'again', inMs: 77_000 }]);
  });

  it('drops what came to nothing and what is a day old, and asks nobody about it', async () => {
    const outbox = new ListedTasks([taskOf({ isSuperfluous: true }), taskOf({ ageMs: PUSH_TTL_SECONDS * 1_000 + 1 })]);
    const provider = new ScriptedProvider('fcm', () => ({ is: 'sent' }));
    start(outbox, [provider]);
    expect(await endsOf(outbox, 2)).toEqual([{ is: 'dropped' }, { is: 'dropped' }]);
    expect(provider.sent).toEqual([]);
  });

  it('tells a user no more than so often, and takes away as often as need be', async () => {
    const userId = randomUUID();
    const messages = Array.from({ length: 5 }, () => taskOf({ userId }));
    const outbox = new ListedTasks([...messages, taskOf({ userId, kind: 'clear' }), taskOf()]);
    const provider = new ScriptedProvider('fcm', () => ({ is: 'sent' }));
    start(outbox, [provider], { limit: 3, windowMs: 60_000 });
    const ends = await endsOf(outbox, 7);
    expect(ends.filter(({ is }) => is === 'sent')).toHaveLength(5);
    const later = ends.flatMap((end) => (end.is === 'again' ? [end.inMs] : []));
    expect(later).toHaveLength(2);
    for (const inMs of later) expect(inMs).toBeGreaterThan(30_000);
  });

  it('asks a provider for so many at a time, and waits for none of another', async () => {
    const slow = new ScriptedProvider('apns', () =>
      slow.closed.promise.then(() => ({ is: 'failed', reason: 'closed' })),
    );
    const quick = new ScriptedProvider('fcm', () => ({ is: 'sent' }));
    const apns = Array.from({ length: 100 }, () => taskOf({ provider: 'apns' }));
    const outbox = new ListedTasks([...apns, ...Array.from({ length: 100 }, () => taskOf())]);
    start(outbox, [slow, quick]);
    await endsOf(outbox, 100);
    await vi.waitFor(() => expect(slow.most).toBe(PUSH_IN_FLIGHT_MAX));
    expect(outbox.tasks).toHaveLength(100 - PUSH_IN_FLIGHT_MAX);
    const began = performance.now();
    await sender.stop();
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(outbox.ends).toHaveLength(100 + PUSH_IN_FLIGHT_MAX);
  });

  it('brings a task later to a service that has enough to do: no attempt, no failure, and not on account of the user', async () => {
    const userId = randomUUID();
    const outbox = new ListedTasks([taskOf({ userId, attempt: 7 }), taskOf({ userId }), taskOf({ userId })]);
    const provider = new ScriptedProvider('fcm', () => ({ is: 'sent' }));
    provider.busy = 250;
    start(outbox, [provider], { limit: 1, windowMs: 60_000 });
    expect(await endsOf(outbox, 3)).toEqual(Array.from({ length: 3 }, () => ({ is: 'later', inMs: 250 })));
    expect([provider.sent, troubles]).toEqual([[], []]);
    provider.busy = 0;
    outbox.tasks.push(taskOf({ userId }));
    expect((await endsOf(outbox, 4)).at(-1)).toEqual({ is: 'sent' });
  });

  it('takes nothing for a provider that is left alone', async () => {
    const outbox = new ListedTasks([taskOf()]);
    const provider = new ScriptedProvider('fcm', () => ({ is: 'sent' }));
    provider.rest = 1_000;
    const claim = vi.spyOn(outbox, 'claim');
    start(outbox, [provider]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(claim).not.toHaveBeenCalled();
    provider.rest = 0;
    expect(await endsOf(outbox, 1)).toEqual([{ is: 'sent' }]);
  });

  it('goes on when the outbox could not be read', async () => {
    const outbox = new ListedTasks([taskOf()]);
    vi.spyOn(outbox, 'claim').mockRejectedValueOnce(new Error('the database is away'));
    start(outbox, [new ScriptedProvider('fcm', () => ({ is: 'sent' }))]);
    await vi.waitFor(() => expect(outbox.ends).toHaveLength(1), { timeout: 5_000 });
  });
});

describe('what a notification shows', () => {
  it('is who and what in a direct conversation, and in a group also where', () => {
    expect(pushNotificationOf(taskOf())).toMatchObject({ title: 'Ada', body: 'Hello' });
    const group = taskOf({ conversationType: 'group', conversationName: 'Engine room' });
    expect(pushNotificationOf(group)).toMatchObject({ title: 'Engine room', body: 'Ada: Hello' });
  });

  it('is a word for what has no text, and nothing at all for what takes away', () => {
    expect(pushNotificationOf(taskOf({ preview: null })).body).toBe('New message');
    expect(pushNotificationOf(taskOf({ preview: '', contentType: 'image' })).body).toBe('New picture');
    expect(pushNotificationOf(taskOf({ kind: 'clear' }))).toMatchObject({ title: null, body: null });
  });

  it('fits into any provider’s payload, and is cut between characters', () => {
    const long = '🚀'.repeat(300);
    const names = { senderName: long, conversationName: long, conversationType: 'group' as const };
    const { title, body } = pushNotificationOf(taskOf({ preview: long, ...names }));
    expect(Buffer.byteLength(JSON.stringify({ title, body }))).toBeLessThan(2_500);
    expect(title!.isWellFormed() && body!.isWellFormed()).toBe(true);
  });
});
