import { ParleyError } from '../errors.js';
import type { DiscontinuityReason } from '../conversation-track.js';
import { Messenger } from '../messenger.js';
import type { Answer, ServerEvent } from '../ports.js';
import { memoryStore, type ParleyStore } from '../store.js';
import type { SyncRequest } from '../sync-engine.js';
import type { ClientEventName, ClientEventPayload } from '../wire.js';
import type { ModelServer } from './model-server.js';
import type { VirtualClock } from './virtual-clock.js';

export interface Faults {
  /** Chances from 0 to 1. */
  readonly lostEvent: number;
  readonly doubledEvent: number;
  readonly lostRequest: number;
  readonly lostAnswer: number;
  readonly accepted: number;
  /** Events and answers take up to so long, each its own time: they overtake each other. */
  readonly delayMsMax: number;
}

export const NO_FAULTS: Faults = {
  lostEvent: 0,
  doubledEvent: 0,
  lostRequest: 0,
  lostAnswer: 0,
  accepted: 0,
  delayMsMax: 0,
};

/** Numbers from 0 to 1 that a seed decides. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A messenger of one user, and everything that can go wrong between it and the model server. */
export class ModelClient {
  messenger: Messenger;
  /** Of the current run; what an earlier one that was killed still does reaches nothing. */
  private run: Run;
  faults: Faults = NO_FAULTS;
  readonly discontinuities: DiscontinuityReason[] = [];
  readonly faultsTold: unknown[] = [];
  readonly asked: { name: ClientEventName; payload: unknown }[] = [];
  /** Called after each change of the conversation. */
  onChange: () => void = () => {};
  onRemoved: () => void = () => {};
  onAsk: (name: ClientEventName, payload: unknown) => void = () => {};
  /** Each connection has a number; what an earlier one still carries is lost. */
  private connection = 0;
  private isConnected = false;
  private runs = 0;
  /** Of the latest message of others that came over the connection of now. */
  seqToldLive = 0;
  /** What it was told last was that it does not belong to the conversation. */
  isToldGone = false;
  private lastTurnAtMs = 0;

  constructor(
    readonly userId: string,
    private readonly server: ModelServer,
    private readonly clock: VirtualClock,
    private readonly random: () => number,
    readonly store: ParleyStore = memoryStore(),
    /** Where it matters which of a user's devices it is. */
    readonly deviceId: string = userId,
  ) {
    this.run = new Run(store);
    this.messenger = this.freshMessenger();
  }

  /** As a process that is killed: nothing more is saved, and its locks are free. */
  async crash(): Promise<void> {
    this.cut();
    this.run.kill();
    this.messenger = this.freshMessenger();
    await this.messenger.start();
  }

  /** As a reload of the page: a new messenger on the same store. */
  async reload(): Promise<void> {
    this.cut();
    await this.messenger.stop();
    this.messenger = this.freshMessenger();
    await this.messenger.start();
  }

  connect(): void {
    if (this.isConnected) return;
    this.connection++;
    this.isConnected = true;
    this.messenger.connected();
  }

  cut(): void {
    this.seqToldLive = 0;
    this.connection++;
    this.isConnected = false;
  }

  deliver(event: ServerEvent): void {
    if (!this.isConnected || this.happens(this.faults.lostEvent)) return;
    // A connection tells of coming and going in their order: they do not overtake each other.
    if (event.name === 'conversation_removed' || event.name === 'conversation_created')
      return this.deliverInTurn(event);
    const times = this.happens(this.faults.doubledEvent) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      this.later(() => {
        const isOthers = event.name === 'new_message' && event.payload.senderId !== this.userId;
        if (isOthers) this.seqToldLive = Math.max(this.seqToldLive, event.payload.seq);
        this.messenger.take(event);
      });
    }
  }

  private deliverInTurn(event: ServerEvent): void {
    const { connection, messenger } = this;
    const nowMs = this.clock.now();
    this.lastTurnAtMs = Math.max(this.lastTurnAtMs, nowMs + this.random() * this.faults.delayMsMax);
    this.clock.after(this.lastTurnAtMs - nowMs, () => {
      if (connection !== this.connection || messenger !== this.messenger) return;
      messenger.take(event);
      this.isToldGone = event.name === 'conversation_removed';
      // Nobody waits for an acknowledgement from somebody who is out.
      if (this.isToldGone) this.seqToldLive = 0;
    });
  }

  private freshMessenger(): Messenger {
    const run = new Run(this.store);
    this.run = run;
    this.runs++;
    return new Messenger({
      selfId: this.userId,
      tabId: `tab-${this.deviceId}-${this.runs}`,
      clock: this.clock,
      random: this.random,
      store: run.store,
      isConnected: () => this.isConnected && run.isAlive,
      ask: (name, payload) =>
        run.isAlive ? this.ask(name, payload) : Promise.reject(new ParleyError('network', 'It was killed')),
      history: (_conversationId, place, limit) => this.request(() => this.server.history(place, limit), false),
      message: (_conversationId, messageId) => this.request(() => this.server.message(messageId), false),
      changed: () => run.isAlive && this.onChange(),
      typing: () => {},
      discontinuity: (_conversationId, reason) => this.discontinuities.push(reason),
      ending: () => run.isAlive && this.onChange(),
      removed: () => run.isAlive && this.onRemoved(),
      fault: (cause) => this.faultsTold.push(cause),
    });
  }

  private ask<Name extends ClientEventName>(name: Name, payload: ClientEventPayload<Name>): Promise<Answer<Name>> {
    this.asked.push({ name, payload });
    this.onAsk(name, payload);
    return this.request(() => this.answer(name, payload), true) as Promise<Answer<Name>>;
  }

  private answer(name: ClientEventName, payload: unknown): unknown {
    if (name === 'sync') return { ok: true, ...this.server.sync(payload as SyncRequest) };
    if (name === 'read_receipt')
      return { ok: true, ...this.server.read(payload as ClientEventPayload<'read_receipt'>, this.deviceId) };
    if (name !== 'send_message') return { ok: true };
    const { content = '', clientMsgId } = payload as ClientEventPayload<'send_message'>;
    const place = this.server.post(this.userId, content, clientMsgId, this.deviceId);
    if (!this.happens(this.faults.accepted)) return { ok: true, ...place };
    const { messageId, seq, rev, timestamp } = place;
    const { conversationId } = this.server;
    const end = { clientMsgId, conversationId, status: 'stored' as const, messageId, seq, rev, timestamp };
    this.deliver({ name: 'ack', payload: end });
    return { ok: true, status: 'accepted', clientMsgId };
  }

  private request<Value>(work: () => Value, needsConnection: boolean): Promise<Value> {
    const lost = new ParleyError('network', 'The network lost it');
    return new Promise((done, fail) => {
      if (needsConnection && !this.isConnected) return fail(lost);
      const cancel = this.clock.after(10_000, () => fail(new ParleyError('timeout', 'No answer')));
      const { connection } = this;
      const end = (then: () => void): void => {
        cancel();
        then();
      };
      if (this.happens(this.faults.lostRequest)) return;
      this.later(() => {
        if (needsConnection && connection !== this.connection) return end(() => fail(lost));
        let value: Value;
        try {
          value = work();
        } catch (refusal) {
          return end(() => fail(refusal as ParleyError));
        }
        if (this.happens(this.faults.lostAnswer)) return;
        this.later(() => end(() => (needsConnection && connection !== this.connection ? fail(lost) : done(value))));
      }, false);
    });
  }

  /** On another connection than the one it was sent on, it does not arrive. */
  private later(work: () => void, isBound = true): void {
    const { connection, messenger } = this;
    this.clock.after(this.random() * this.faults.delayMsMax, () => {
      if (!isBound || (connection === this.connection && messenger === this.messenger)) work();
    });
  }

  private happens(chance: number): boolean {
    return this.random() < chance;
  }
}

/** The life of one messenger: with its end, its way to the store ends, and what it had locked is free. */
class Run {
  isAlive = true;
  private readonly locks = new Set<() => void>();
  readonly store: ParleyStore;

  constructor(store: ParleyStore) {
    const alive = async <Value>(work: () => Promise<Value>): Promise<Value> =>
      this.isAlive ? work() : new Promise(() => {});
    this.store = {
      get: (key) => alive(() => store.get(key)),
      set: (key, value) => alive(() => store.set(key, value)),
      delete: (key) => alive(() => store.delete(key)),
      keys: (prefix) => alive(() => store.keys(prefix)),
      tryLock: (name) =>
        alive(async () => {
          const release = await store.tryLock(name);
          if (release) this.locks.add(release);
          return release;
        }),
    };
  }

  kill(): void {
    this.isAlive = false;
    for (const release of this.locks) release();
  }
}
