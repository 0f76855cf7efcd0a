import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import type { StreamedEvent, StreamPosition } from '../ports/event-stream.port.js';
import {
  type DueEvent,
  type HandlerPartition,
  type HandlerProgress,
  type HandlerTerm,
  type HeldEvent,
  LAST_INDEX,
} from '../ports/handler-progress.port.js';
import { NoHandlerMetrics, type HandlerMetrics } from '../ports/handler-metrics.port.js';
import type { AttemptSlots } from './attempt-slots.js';
import { type DurableEventHandler, retryPauseMs } from './durable-event-handler.js';
import { attemptEvent, type AttemptResult, type AttemptsUnderWay, cutOff, readEvent } from './event-attempt.js';

/** Events of a partition that are read and not finished; whoever is slow in one conversation holds the others up here. */
export const WINDOW_EVENTS_MAX = 1_000;
/** Events of a partition that wait for another attempt; with more, nothing new is read until some are handled. */
export const HELD_EVENTS_MAX = 10_000;
const DUE_EVENTS_MAX = 256;
/** After so long no further waiting event of a conversation is begun: what came meanwhile stands in memory behind them. */
const RUN_MS_MAX = 1_000;

interface Entry {
  streamed: StreamedEvent;
  finished: boolean;
  held: HeldEvent | null;
}

export interface WindowParts {
  handler: DurableEventHandler;
  progress: HandlerProgress;
  slots: AttemptSlots;
  metrics?: HandlerMetrics;
}

/**
 * One partition of the event stream as one handler sees it: what was read and is not finished, which conversations wait,
 * and how far everything is done. The position that is kept only ever covers finished events, so what a crash interrupts
 * comes again.
 */
export class PartitionWindow {
  readonly partition: number;
  /** The last event that was read. */
  readPosition: StreamPosition | null;
  /** Of the records before this offset all events were read, or need not be. */
  readTo: number;
  private readonly term: HandlerTerm;
  private readonly entries: Entry[] = [];
  /** The end of what is under way in each conversation. */
  private readonly tails = new Map<string, Promise<void>>();
  /** Events of each conversation that are held. */
  private held: Map<string, number> = new Map();
  private heldCount = 0;
  private saved: StreamPosition | null;
  /** What is tried again has got through: more of it may be due, and is not left for the next look. */
  isCatchingUp = false;
  private readonly retrying = new Set<string>();
  /** Nothing more is begun. */
  private closing = false;
  private readonly underWay: AttemptsUnderWay = new Set();
  private readonly metrics: HandlerMetrics;

  constructor(
    private readonly parts: WindowParts,
    { partition, epoch, position }: HandlerPartition,
  ) {
    this.partition = partition;
    this.readPosition = position;
    this.readTo = position?.offset ?? 0;
    this.saved = position;
    this.term = { handler: parts.handler.name, partition, epoch };
    this.metrics = parts.metrics ?? new NoHandlerMetrics();
  }

  /** Learns which conversations wait. Before anything else. */
  async open(): Promise<void> {
    this.held = await this.parts.progress.waiting(this.term);
    this.heldCount = [...this.held.values()].reduce((sum, count) => sum + count, 0);
  }

  /** How many events may be read now. */
  get room(): number {
    return this.heldCount >= HELD_EVENTS_MAX ? 0 : WINDOW_EVENTS_MAX - this.entries.length;
  }

  get heldEvents(): number {
    return this.heldCount;
  }

  /** Of the records before this offset every event was handled, set aside or passed over, or is held. */
  get finishedTo(): number {
    const first = this.entries.find(({ finished }) => !finished);
    return first ? first.streamed.offset : Math.max(this.readTo, this.readPosition?.offset ?? 0);
  }

  /** Nothing is under way. */
  get isIdle(): boolean {
    return this.entries.length === 0;
  }

  /** Takes events in the order of the stream; they are begun as their conversations and the slots allow. */
  take(events: readonly StreamedEvent[]): void {
    for (const streamed of events) {
      this.readPosition = { offset: streamed.offset, index: streamed.index };
      const entry: Entry = { streamed, finished: false, held: null };
      this.entries.push(entry);
      this.begin(entry);
    }
  }

  /** What stands before this offset need not be read. */
  passTo(offset: number): void {
    if (offset <= this.readTo) return;
    this.readTo = offset;
    this.readPosition = { offset: offset - 1, index: LAST_INDEX };
  }

  /** Writes down how far all is finished. False: the partition has another owner. @throws when it cannot be written */
  async save(): Promise<boolean> {
    const first = this.entries.findIndex(({ finished }) => !finished);
    const done = first < 0 ? this.entries.length : first;
    const position = first < 0 ? this.readPosition : (this.entries[done - 1]?.streamed ?? this.saved);
    if (!position || (position.offset === this.saved?.offset && position.index === this.saved.index)) return true;
    const held = this.entries.slice(0, done).flatMap((entry) => entry.held ?? []);
    if (!(await this.parts.progress.advance(this.term, position, held))) return false;
    this.entries.splice(0, done);
    this.saved = { offset: position.offset, index: position.index };
    return true;
  }

  /**
   * Begins further attempts that are due. Those that wait behind the first one of their conversation follow at once, for
   * as long as none fails. @throws when they cannot be read
   */
  async retry(): Promise<void> {
    this.isCatchingUp = false;
    const due = await this.parts.progress.due(this.term, DUE_EVENTS_MAX);
    for (const [turn, run] of runsOf(due)) {
      if (this.retrying.has(turn) || this.closing) continue;
      this.retrying.add(turn);
      void this.inTurn(turn, () => this.retryRun(run)).finally(() => this.retrying.delete(turn));
    }
  }

  /** Begins nothing more; what still runs after `graceMs` is cut off, and comes again. Resolves when nothing runs. */
  async stop(graceMs: number): Promise<void> {
    this.closing = true;
    const timer = setTimeout(() => cutOff(this.underWay), graceMs);
    await Promise.all(this.tails.values());
    clearTimeout(timer);
  }

  private begin(entry: Entry): void {
    const { conversationId, payload } = entry.streamed;
    const event = readEvent(payload);
    if (!event) {
      this.metrics.handlerAttempt(this.term.handler, 'dead_lettered');
      entry.held = { ...entry.streamed, attempts: 0, pauseMs: 0, dead: true, lastError: 'Not an event' };
      entry.finished = true;
      return;
    }
    if (!this.parts.handler.appliesTo.includes(event.type)) {
      entry.finished = true;
      return;
    }
    if (this.held.has(conversationId) && !this.tails.has(conversationId)) return this.hold(entry, 0, 0, null);
    void this.inTurn(conversationId, async () => {
      if (this.held.has(conversationId)) return this.hold(entry, 0, 0, null);
      const result = await this.attempt(entry.streamed, event, 1);
      if (result.is === 'stopped') return;
      if (result.is === 'failed') {
        const { retryPauseMs: pauseMs, attemptsMax } = this.parts.handler;
        if (attemptsMax > 1) return this.hold(entry, 1, retryPauseMs(pauseMs, 1), result.error);
        this.metrics.handlerAttempt(this.term.handler, 'dead_lettered');
        entry.held = { ...entry.streamed, attempts: 1, pauseMs: 0, dead: true, lastError: result.error };
      }
      entry.finished = true;
    });
  }

  private hold(entry: Entry, attempts: number, pauseMs: number, lastError: string | null): void {
    const { conversationId } = entry.streamed;
    this.held.set(conversationId, (this.held.get(conversationId) ?? 0) + 1);
    this.heldCount += 1;
    entry.held = { ...entry.streamed, attempts, pauseMs, dead: false, lastError };
    entry.finished = true;
  }

  private async retryRun(run: readonly DueEvent[]): Promise<void> {
    const until = performance.now() + RUN_MS_MAX;
    for (const due of run) {
      if (!(await this.retryOne(due))) return;
      this.isCatchingUp = true;
      if (performance.now() >= until) return;
    }
  }

  /** True when it waits no longer. */
  private async retryOne(due: DueEvent): Promise<boolean> {
    const { conversationId, payload, attempts, late } = due;
    const event = readEvent(payload);
    const result: AttemptResult = event
      ? await this.attempt(due, event, attempts + 1)
      : { is: 'failed', error: 'Not an event' };
    if (result.is === 'stopped') return false;
    const { retryPauseMs: firstMs, attemptsMax } = this.parts.handler;
    const last = result.is === 'failed' && attempts + 1 >= attemptsMax;
    const mine = await this.parts.progress
      .settle(
        this.term,
        due,
        result.is === 'handled'
          ? { handled: true }
          : { handled: false, error: result.error, pauseMs: last ? null : retryPauseMs(firstMs, attempts + 1) },
      )
      // Not written: it is due once more, as after a crash.
      .catch(() => false);
    if (!mine) return false;
    if (last) this.metrics.handlerAttempt(this.term.handler, 'dead_lettered');
    const isDone = last || result.is === 'handled';
    if (isDone && !late) this.release(conversationId);
    return isDone;
  }

  private release(conversationId: string): void {
    const left = (this.held.get(conversationId) ?? 0) - 1;
    if (left > 0) this.held.set(conversationId, left);
    else this.held.delete(conversationId);
    this.heldCount = Math.max(0, this.heldCount - 1);
  }

  private async attempt(streamed: StreamedEvent, event: ConversationEvent, attempt: number): Promise<AttemptResult> {
    const { handler, slots } = this.parts;
    const { underWay } = this;
    const result = await slots.use<AttemptResult>(async () =>
      this.closing ? { is: 'stopped' } : attemptEvent(handler, streamed, event, { attempt, underWay }),
    );
    if (result.is !== 'stopped') this.metrics.handlerAttempt(handler.name, result.is);
    return result;
  }

  /** After everything that is under way in the conversation. Never rejects. */
  private inTurn(key: string, work: () => Promise<void> | void): Promise<void> {
    const turn = (this.tails.get(key) ?? Promise.resolve()).then(work).then(() => {
      if (this.tails.get(key) === turn) this.tails.delete(key);
    });
    this.tails.set(key, turn);
    return turn;
  }
}

/** What is due, by the conversation whose turn it takes, each in its order. */
function runsOf(due: readonly DueEvent[]): Map<string, DueEvent[]> {
  const runs = new Map<string, DueEvent[]>();
  for (const event of due) {
    // Taken back out of the dead letters: it holds up nobody.
    const turn = event.late ? `late:${event.conversationId}` : event.conversationId;
    const run = runs.get(turn);
    if (run) run.push(event);
    else runs.set(turn, [event]);
  }
  return runs;
}
