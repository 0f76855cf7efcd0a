import { backOffMs, type Clock } from './clock.js';
import { gone, ParleyError, toParleyError, type LocalErrorCode } from './errors.js';
import type { ParleyStore } from './store.js';
import type { AckEvent, ContentType, ErrorCode, Media, Stored } from './wire.js';

export const OUTBOX_ENTRIES_MAX = 1_000;
/** A send that was answered `accepted` and not settled within this time is sent again. */
export const ACCEPTED_WAIT_MS = 10_000;
/** The server knows a clientMsgId for 30 days; an older send could appear twice. */
const ENTRY_AGE_MS_MAX = 29 * 24 * 3_600_000;
/** Refusals that a retry may cure, before it is given up. Answers that never came do not count. */
const REFUSALS_MAX = 8;
const RETRY_FIRST_MS = 1_000;
const RETRY_MS_MAX = 30_000;
const ADOPTION_EVERY_MS = 5_000;
/** In UTF-16 units: no message of 100,000 code points, which is what the server takes, is longer. */
const CONTENT_UNITS_MAX = 200_000;

export interface SendFailure {
  readonly code: ErrorCode | LocalErrorCode;
  readonly detail: string;
  /** Whether `retry` may help. */
  readonly retryable: boolean;
}

/** A message that is on its way. */
export interface OutboxEntry {
  readonly clientMsgId: string;
  readonly conversationId: string;
  readonly content: string;
  readonly contentType: ContentType;
  readonly mediaIds: readonly string[];
  /** What is known of them, to show while it is being sent. Missing in what earlier versions kept. */
  readonly media?: readonly Media[];
  readonly replyToMessageId: string | null;
  /** Milliseconds since the epoch, by the client's clock. */
  readonly createdAtMs: number;
  /** Null while it is being sent. */
  readonly failure: SendFailure | null;
}

export type Settlement = Pick<Stored, 'messageId' | 'seq' | 'rev' | 'timestamp'>;

export interface OutboxDoor {
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: ParleyStore;
  /** Where the entries of this user are kept. */
  readonly scope: string;
  send(entry: OutboxEntry): Promise<Settlement | 'accepted'>;
  isConnected(): boolean;
  /** An entry came, changed or went. */
  changed(conversationId: string): void;
  stored(entry: OutboxEntry, place: Settlement): void;
  fault(cause: unknown): void;
}

interface Lane {
  /** In the order they were written. */
  entries: OutboxEntry[];
  isSending: boolean;
  refusals: number;
  cancelRetry: (() => void) | null;
}

/**
 * Sends messages one after the other in each conversation, each until it is stored or refused for good, always with the
 * clientMsgId that it got first. Entries are kept in the store by the client (tab) that was given them; when that one is
 * gone, and its lock with it, another takes them over, so that each entry has one sender at a time.
 */
export class Outbox {
  private readonly lanes = new Map<string, Lane>();
  private readonly accepted = new Map<string, (end: AckEvent | null) => void>();
  /** Settlements that overtook the answer `accepted`. */
  private readonly early = new Map<string, AckEvent>();
  private readonly ownLocks: (() => void)[] = [];
  private cancelAdoption: (() => void) | null = null;
  private stopped = false;
  private order = 0;
  /** The store's key of each entry. */
  private readonly keys = new Map<string, string>();

  constructor(
    private readonly door: OutboxDoor,
    private readonly tabId: string,
  ) {}

  /** Takes this client's lock and adopts what earlier ones left. Never rejects. */
  async start(): Promise<void> {
    try {
      const release = await this.door.store.tryLock(this.lockOf(this.tabId));
      if (release) this.ownLocks.push(release);
      if (this.stopped) return this.releaseLocks();
      await this.adopt();
    } catch (cause) {
      this.door.fault(cause);
    }
    if (!this.stopped) this.cancelAdoption = this.door.clock.after(ADOPTION_EVERY_MS, () => void this.adoptAgain());
  }

  entriesOf(conversationId: string): readonly OutboxEntry[] {
    return this.lanes.get(conversationId)?.entries ?? [];
  }

  /** All that are on their way, by conversation and in their order. */
  get entries(): OutboxEntry[] {
    return [...this.lanes.values()].flatMap((lane) => lane.entries);
  }

  /**
   * Shows it at once; resolves when it is kept. One that is on its way already is not added again, a failed one is
   * replaced. @throws ParleyError `outbox_full` above 1,000
   */
  async add(entry: OutboxEntry): Promise<void> {
    const { clientMsgId, conversationId } = entry;
    if (this.stopped) throw new ParleyError('closed', 'The client was closed');
    const known = this.entriesOf(conversationId).find((one) => one.clientMsgId === clientMsgId);
    if (known && !known.failure) return;
    if (known) this.remove(known);
    if (this.entries.length >= OUTBOX_ENTRIES_MAX) {
      throw new ParleyError('outbox_full', 'Too many messages wait to be sent', { retryable: true });
    }
    this.enqueue(entry, this.freshKey());
    await this.keep(entry);
    this.work(conversationId);
  }

  /** Sends a failed one again, at its old place; false when there is no such entry. */
  retry(clientMsgId: string): boolean {
    const entry = this.find(clientMsgId);
    if (!entry?.failure) return false;
    this.replace({ ...entry, failure: null });
    this.work(entry.conversationId);
    return true;
  }

  /** Forgets a failed one; false when there is no such entry. */
  discard(clientMsgId: string): boolean {
    const entry = this.find(clientMsgId);
    if (!entry?.failure) return false;
    this.remove(entry);
    return true;
  }

  /** How a send that was answered `accepted` ended. */
  settled(ack: AckEvent): void {
    const waiting = this.accepted.get(ack.clientMsgId);
    if (waiting) waiting(ack);
    else if (this.find(ack.clientMsgId)) this.early.set(ack.clientMsgId, ack);
  }

  /** There is a connection again: everything that waits is sent at once. */
  connected(): void {
    for (const end of this.accepted.values()) end(null);
    for (const [conversationId, lane] of this.lanes) {
      lane.cancelRetry?.();
      lane.cancelRetry = null;
      this.work(conversationId);
    }
  }

  /** The message is in the timeline, so it was stored, whether the answer came or not. */
  seen(clientMsgId: string): void {
    const entry = this.find(clientMsgId);
    if (entry) this.remove(entry);
  }

  /** Nothing of this conversation can be sent any more. */
  conversationGone(conversationId: string): void {
    for (const entry of this.entriesOf(conversationId)) this.fail(entry, gone());
  }

  stop(): void {
    this.stopped = true;
    this.cancelAdoption?.();
    for (const lane of this.lanes.values()) lane.cancelRetry?.();
    for (const end of this.accepted.values()) end(null);
    this.releaseLocks();
  }

  private releaseLocks(): void {
    for (const release of this.ownLocks.splice(0)) release();
  }

  private async adoptAgain(): Promise<void> {
    try {
      await this.adopt();
    } catch (cause) {
      this.door.fault(cause);
    }
    if (!this.stopped) this.cancelAdoption = this.door.clock.after(ADOPTION_EVERY_MS, () => void this.adoptAgain());
  }

  private async adopt(): Promise<void> {
    const keys = await this.door.store.keys(`${this.door.scope}/`);
    const tabs = new Set(keys.map((key) => key.slice(this.door.scope.length + 1).split('/')[0] ?? ''));
    for (const tab of tabs) {
      if (tab === this.tabId || this.stopped) continue;
      const release = await this.door.store.tryLock(this.lockOf(tab));
      if (!release) continue;
      try {
        // Read anew: between the list and the lock its owner may have sent them.
        for (const key of await this.door.store.keys(`${this.door.scope}/${tab}/`)) await this.adoptOne(key);
      } finally {
        release();
      }
    }
    for (const conversationId of this.lanes.keys()) this.work(conversationId);
  }

  private async adoptOne(key: string): Promise<void> {
    const text = await this.door.store.get(key);
    if (text === null) return;
    const entry = JSON.parse(text) as OutboxEntry;
    if (!this.find(entry.clientMsgId)) {
      const isOld = this.door.clock.now() - entry.createdAtMs > ENTRY_AGE_MS_MAX;
      const failure = { code: 'outbox_expired' as const, detail: 'It waited for more than 29 days', retryable: false };
      const adopted = isOld ? { ...entry, failure } : entry;
      this.enqueue(adopted, this.freshKey());
      // First kept here, then forgotten there: a crash in between leaves two copies of one clientMsgId, not none. Where
      // the store is full, it stays where it is.
      if (!(await this.keep(adopted))) this.keys.set(entry.clientMsgId, key);
    }
    if (this.keys.get(entry.clientMsgId) !== key) await this.door.store.delete(key);
  }

  private lockOf(tabId: string): string {
    return `${this.door.scope}/${tabId}`;
  }

  /** Sorts by the time it was made and, within a millisecond, by its order. */
  private freshKey(): string {
    const time = this.door.clock.now().toString().padStart(15, '0');
    return `${this.door.scope}/${this.tabId}/${time}-${String(this.order++).padStart(6, '0')}`;
  }

  private enqueue(entry: OutboxEntry, key: string): void {
    const lane = this.lanes.get(entry.conversationId) ?? {
      entries: [],
      isSending: false,
      refusals: 0,
      cancelRetry: null,
    };
    this.lanes.set(entry.conversationId, lane);
    lane.entries = [...lane.entries, entry];
    this.keys.set(entry.clientMsgId, key);
    this.door.changed(entry.conversationId);
  }

  /** @returns false when the store has failed */
  private async keep(entry: OutboxEntry): Promise<boolean> {
    const key = this.keys.get(entry.clientMsgId);
    if (key === undefined) return true;
    try {
      await this.door.store.set(key, JSON.stringify(entry));
      // It was stored and removed while it was being kept.
      if (this.keys.get(entry.clientMsgId) !== key) await this.door.store.delete(key);
      return true;
    } catch (cause) {
      this.door.fault(cause);
      return false;
    }
  }

  private find(clientMsgId: string): OutboxEntry | undefined {
    return this.entries.find((entry) => entry.clientMsgId === clientMsgId);
  }

  private replace(entry: OutboxEntry): void {
    const lane = this.lanes.get(entry.conversationId);
    if (!lane) return;
    lane.entries = lane.entries.map((one) => (one.clientMsgId === entry.clientMsgId ? entry : one));
    void this.keep(entry);
    this.door.changed(entry.conversationId);
  }

  private remove(entry: OutboxEntry): void {
    const lane = this.lanes.get(entry.conversationId);
    if (!lane) return;
    lane.entries = lane.entries.filter(({ clientMsgId }) => clientMsgId !== entry.clientMsgId);
    const key = this.keys.get(entry.clientMsgId);
    this.keys.delete(entry.clientMsgId);
    this.early.delete(entry.clientMsgId);
    if (key !== undefined) this.door.store.delete(key).catch((cause: unknown) => this.door.fault(cause));
    if (lane.entries.length === 0 && !lane.isSending) this.lanes.delete(entry.conversationId);
    this.door.changed(entry.conversationId);
  }

  private fail(entry: OutboxEntry, { code, message, retryable }: ParleyError): void {
    this.replace({ ...entry, failure: { code, detail: message, retryable } });
  }

  private work(conversationId: string): void {
    const lane = this.lanes.get(conversationId);
    if (!lane || lane.isSending || lane.cancelRetry || this.stopped || !this.door.isConnected()) return;
    const entry = lane.entries.find(({ failure }) => failure === null);
    if (!entry) return;
    lane.isSending = true;
    void this.sendOne(lane, entry).finally(() => {
      lane.isSending = false;
      if (lane.entries.length === 0) this.lanes.delete(conversationId);
      else this.work(conversationId);
    });
  }

  private async sendOne(lane: Lane, entry: OutboxEntry): Promise<void> {
    try {
      // A server closes the connection at what is far too long: sent again and again, it would keep it closed.
      if (entry.content.length > CONTENT_UNITS_MAX) throw tooLong();
      const outcome = await this.door.send(entry);
      const place = outcome === 'accepted' ? await this.settlementOf(entry) : outcome;
      lane.refusals = 0;
      if (place === null || !this.find(entry.clientMsgId)) return;
      this.door.stored(entry, place);
      this.remove(entry);
    } catch (cause) {
      this.refused(lane, entry, toParleyError(cause));
    }
  }

  private refused(lane: Lane, entry: OutboxEntry, error: ParleyError): void {
    const { code, retryable, retryAfterMs } = error;
    const isUnanswered = code === 'network' || code === 'timeout' || code === 'closed' || code === 'token_expired';
    if (isUnanswered && !this.door.isConnected()) return;
    if (!isUnanswered) lane.refusals++;
    if (!isUnanswered && (!retryable || lane.refusals > REFUSALS_MAX)) {
      lane.refusals = 0;
      if (this.find(entry.clientMsgId)) this.fail(entry, error);
      return;
    }
    const waitMs = retryAfterMs ?? backOffMs(lane.refusals, RETRY_FIRST_MS, RETRY_MS_MAX, this.door.random);
    lane.cancelRetry = this.door.clock.after(waitMs, () => {
      lane.cancelRetry = null;
      this.work(entry.conversationId);
    });
  }

  /** Null when nothing was heard in time: it is sent again. */
  private async settlementOf({ clientMsgId }: OutboxEntry): Promise<Settlement | null> {
    const early = this.early.get(clientMsgId);
    this.early.delete(clientMsgId);
    const heard = early ?? (await this.nextAck(clientMsgId));
    if (heard === null) return null;
    const { status, messageId, seq, rev, timestamp, error } = heard;
    if (status === 'rejected')
      throw toParleyError(error ?? new ParleyError('internal', 'Rejected', { retryable: true }));
    if (messageId === undefined || seq === undefined || rev === undefined || timestamp === undefined) return null;
    return { messageId, seq, rev, timestamp };
  }

  private nextAck(clientMsgId: string): Promise<AckEvent | null> {
    return new Promise((done) => {
      const end = (heard: AckEvent | null): void => {
        cancel();
        this.accepted.delete(clientMsgId);
        done(heard);
      };
      const cancel = this.door.clock.after(ACCEPTED_WAIT_MS, () => end(null));
      this.accepted.set(clientMsgId, end);
    });
  }
}

function tooLong(): ParleyError {
  const errors = [{ path: 'content', code: 'too_long' as const, message: 'At most 100,000 characters' }];
  return new ParleyError('validation_failed', 'The message is too long', { status: 400, errors });
}
