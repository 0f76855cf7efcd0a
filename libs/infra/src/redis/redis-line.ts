import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { withDeadline } from '@parley/domain';
import { createClient } from '@redis/client';

const HEARTBEAT_EVERY_MS = 1_000;
/**
 * Heartbeats are published all the time, so a subscriber that hears nothing for so long, or commands of which none is
 * answered for so long, are dead. Anything counts: under load a heartbeat waits behind thousands of messages.
 */
export const SILENCE_MS_MAX = 4_000;
/** A process that was stopped for longer than this reads first what came meanwhile, before it judges by the clock. */
const SLEPT_MS = 2 * HEARTBEAT_EVERY_MS;
const CONNECT_MS_MAX = 3_000;
/** For putting all subscriptions in place again: 100,000 of them took 5 s on a busy machine. */
const RESUBSCRIBE_MS_MAX = 30_000;
const RETRY_MS = { first: 50, longest: 1_000 };
/** Commands that wait for Redis' answer; more are refused, since what they bring would come too late. */
const COMMANDS_WAITING_MAX = 20_000;
const CHANNELS_PER_COMMAND = 500;
const GOODBYE_MS_MAX = 1_000;

export type MessageHandler = (message: Buffer, channel: Buffer) => void;

export interface RedisLineOptions {
  url: string;
  /** For `rediss://`: certificates (PEM) instead of the authorities that Node knows. */
  ca?: string | undefined;
  /** Put before all channels and keys, so that several installations can share one Redis. */
  prefix: string;
  /** Told of the begin and the end of each outage, and of a handler that threw. */
  onTrouble: (what: string, error: unknown) => void;
}

/** Nothing was sent: there is no connection, or too much waits on it. */
export class RedisAway extends Error {}

type Client = ReturnType<typeof newClient>;

interface Subscription {
  handler: MessageHandler;
  /** When Redis confirmed it; null while it is not in place. */
  since: number | null;
  /** Of those who wait for it to be in place, or for the line to go down. */
  waiting: PromiseWithResolvers<void> | null;
}

/**
 * A connection for commands and one for subscriptions, which live and die together: a subscriber that was cut alone, or
 * that hears nothing although it looks connected, is noticed by heartbeats of this process that do not come back to it.
 * Then both are made anew, and every subscription is put in place before the line counts as up.
 *
 * Nothing waits for a line that is down: commands are refused at once. Nothing rejects unhandled.
 */
export class RedisLine {
  private readonly subscriptions = new Map<string, Subscription>();
  /** To be subscribed, and to be unsubscribed, with the next command. */
  private wanted = new Set<string>();
  private unwanted = new Set<string>();
  private flushing = false;
  private commands: Client | null = null;
  private subscriber: Client | null = null;
  private up = false;
  private closed = false;
  private connecting: Promise<void> | null = null;
  private readonly upListeners = new Set<() => void>();
  private readonly heartbeatChannel: string;
  private heardAt = 0;
  private answeredAt = 0;
  private tickedAt = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: RedisLineOptions) {
    this.heartbeatChannel = `${options.prefix}heartbeat#${randomUUID()}`;
    // That it comes is all it says.
    void this.subscribe(this.heartbeatChannel, () => {});
  }

  get prefix(): string {
    return this.options.prefix;
  }

  /** True while commands are answered and every subscription is in place. */
  get isUp(): boolean {
    return this.up;
  }

  /** Begins to connect, and goes on until it is closed. Resolves when it is up, or when `waitMs` have passed without. */
  async open(waitMs: number): Promise<void> {
    this.timer = setInterval(() => this.tick(), HEARTBEAT_EVERY_MS);
    this.timer.unref();
    this.connecting = this.connect();
    await Promise.race([this.connecting, pause(waitMs, undefined, { ref: false })]);
  }

  /** Called each time the line is up again, and the first time. */
  onUp(listener: () => void): () => void {
    this.upListeners.add(listener);
    return () => this.upListeners.delete(listener);
  }

  /** @throws RedisAway, or what Redis answered; within the time in which silence is noticed */
  async publish(channel: string, message: string): Promise<void> {
    await this.client().sPublish(channel, message);
    this.answeredAt = performance.now();
  }

  /** One command, as words. @throws as `publish` */
  command(words: readonly string[]): Promise<unknown> {
    return this.client().sendCommand([...words]);
  }

  /**
   * Every message of the channel goes to the handler from then on, over all outages. Resolves when it is in place, or at
   * once while the line is down: it will be in place before the line is up.
   */
  subscribe(channel: string, handler: MessageHandler): Promise<void> {
    const known = this.subscriptions.get(channel);
    if (known) {
      known.handler = handler;
      return this.inPlace(known);
    }
    const subscription: Subscription = { handler, since: null, waiting: null };
    this.subscriptions.set(channel, subscription);
    if (this.unwanted.delete(channel)) this.confirm(channel, subscription);
    else this.wanted.add(channel);
    this.flushSoon();
    return this.inPlace(subscription);
  }

  unsubscribe(channel: string): void {
    const subscription = this.subscriptions.get(channel);
    if (!subscription) return;
    this.subscriptions.delete(channel);
    endWait(subscription);
    if (!this.wanted.delete(channel)) this.unwanted.add(channel);
    this.flushSoon();
  }

  /** Resolves as `subscribe` does; at once for a channel that is not subscribed. */
  whenSubscribed(channel: string): Promise<void> {
    const subscription = this.subscriptions.get(channel);
    return subscription ? this.inPlace(subscription) : Promise.resolve();
  }

  /** Since when the channel has been heard without a gap (`performance.now()`); null while it is not. */
  subscribedSince(channel: string): number | null {
    return this.up ? (this.subscriptions.get(channel)?.since ?? null) : null;
  }

  /** What was sent before is answered first, within a second. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.timer) clearInterval(this.timer);
    const { commands } = this;
    if (commands?.isReady) {
      await Promise.race([commands.close().catch(() => {}), pause(GOODBYE_MS_MAX, undefined, { ref: false })]);
    }
    this.drop();
  }

  private client(): Client {
    if (!this.up || !this.commands) throw new RedisAway('Redis is away');
    return this.commands;
  }

  private inPlace(subscription: Subscription): Promise<void> {
    if (subscription.since !== null || !this.up) return Promise.resolve();
    subscription.waiting ??= Promise.withResolvers();
    return subscription.waiting.promise;
  }

  private async connect(): Promise<void> {
    let pauseMs = RETRY_MS.first;
    for (let attempt = 0; !this.closed; attempt++) {
      try {
        await this.connectOnce();
        return;
      } catch (error) {
        this.drop();
        if (attempt === 0) this.options.onTrouble('Redis cannot be reached', error);
      }
      await pause(pauseMs * (0.5 + Math.random()), undefined, { ref: false });
      pauseMs = Math.min(2 * pauseMs, RETRY_MS.longest);
    }
  }

  private async connectOnce(): Promise<void> {
    const [commands, subscriber] = [this.newClient(), this.newClient()];
    this.commands = commands;
    this.subscriber = subscriber;
    await inTime(CONNECT_MS_MAX, Promise.all([commands.connect(), subscriber.connect()]));
    await inTime(RESUBSCRIBE_MS_MAX, this.flush(subscriber));
    // What is lost before the line is up is met here, and nowhere else.
    const isAlive = this.commands === commands && commands.isReady && subscriber.isReady;
    if (!isAlive || this.closed) throw new RedisAway('The connection was lost at once');
    this.tickedAt = this.heardAt = this.answeredAt = performance.now();
    this.up = true;
    for (const listener of this.upListeners) listener();
    // What was asked for since the last reply.
    this.flushSoon();
  }

  private newClient(): Client {
    const client = newClient(this.options);
    client.on('error', (error: unknown) => this.lost(client, error));
    client.on('end', () => this.lost(client, new RedisAway('The connection has ended')));
    return client;
  }

  private lost(client: Client, error: unknown): void {
    if (client !== this.commands && client !== this.subscriber) return;
    // While connecting, whoever connects meets the failure; so does nobody after the end.
    if (!this.up || this.closed) return;
    this.options.onTrouble('Redis is lost', error);
    this.drop();
    this.connecting = this.connect();
  }

  /** Ends both connections and forgets what was in place. */
  private drop(): void {
    const clients = [this.commands, this.subscriber];
    this.commands = this.subscriber = null;
    this.up = false;
    this.unwanted.clear();
    this.wanted = new Set(this.subscriptions.keys());
    for (const subscription of this.subscriptions.values()) {
      subscription.since = null;
      endWait(subscription);
    }
    for (const client of clients) client?.destroy();
  }

  private confirm(channel: string, subscription: Subscription): void {
    if (this.subscriptions.get(channel) !== subscription) return;
    subscription.since = performance.now();
    endWait(subscription);
  }

  /** All that is asked for in one go travels together. */
  private flushSoon(): void {
    const { subscriber } = this;
    if (this.flushing || !this.up || !subscriber) return;
    this.flushing = true;
    queueMicrotask(() => {
      this.flushing = false;
      this.flush(subscriber).catch((error: unknown) => this.lost(subscriber, error));
    });
  }

  private async flush(subscriber: Client): Promise<void> {
    while (subscriber === this.subscriber && this.wanted.size + this.unwanted.size > 0) {
      const [unwanted, wanted] = [takeSome(this.unwanted), takeSome(this.wanted)];
      const subscriptions = wanted.map((channel) => this.subscriptions.get(channel));
      // Both at once: they are carried out in this order, and more may follow before they are answered.
      const done = [];
      if (unwanted.length > 0) done.push(subscriber.sUnsubscribe(unwanted, this.dispatch, true));
      if (wanted.length > 0) done.push(subscriber.sSubscribe(wanted, this.dispatch, true));
      await Promise.all(done);
      wanted.forEach((channel, i) => subscriptions[i] && this.confirm(channel, subscriptions[i]));
    }
  }

  private readonly dispatch: MessageHandler = (message, channel) => {
    this.heardAt = performance.now();
    try {
      this.subscriptions.get(channel.toString())?.handler(message, channel);
    } catch (error) {
      this.options.onTrouble('A message of Redis could not be handled', error);
    }
  };

  private tick(): void {
    const now = performance.now();
    const isAwake = now - this.tickedAt < SLEPT_MS;
    this.tickedAt = now;
    if (!this.up) return;
    const silenceMs = now - Math.min(this.heardAt, this.answeredAt);
    if (isAwake && silenceMs > SILENCE_MS_MAX && this.subscriber) {
      return this.lost(this.subscriber, new RedisAway('Heartbeats through Redis do not come back'));
    }
    this.publish(this.heartbeatChannel, '').catch(() => {});
  }
}

function endWait(subscription: Subscription): void {
  subscription.waiting?.resolve();
  subscription.waiting = null;
}

function newClient({ url, ca }: Pick<RedisLineOptions, 'url' | 'ca'>) {
  return createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: COMMANDS_WAITING_MAX,
    maintNotifications: 'disabled',
    // A timer and a signal for each command cost a third of it; here silence ends them all.
    commandOptions: { timeout: 0 },
    socket: {
      reconnectStrategy: false,
      connectTimeout: CONNECT_MS_MAX,
      ...(ca !== undefined && { tls: true, ca }),
    },
  });
}

async function inTime<T>(msMax: number, done: Promise<T>): Promise<T> {
  return withDeadline(done, msMax, () => {
    throw new RedisAway(`Redis did not answer within ${msMax} ms`);
  });
}

function takeSome(channels: Set<string>): string[] {
  const some: string[] = [];
  for (const channel of channels) {
    some.push(channel);
    channels.delete(channel);
    if (some.length >= CHANNELS_PER_COMMAND) break;
  }
  return some;
}
