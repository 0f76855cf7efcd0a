import { backOffMs, inTime, type Clock } from './clock.js';
import type { ConversationTrack } from './conversation-track.js';
import { gone, ParleyError, toParleyError } from './errors.js';
import type { StateCache } from './state-cache.js';
import type { TimelineWindow } from './timeline-window.js';
import type { Message, MessagePage } from './wire.js';

const PAGE_RETRY_FIRST_MS = 500;
const PAGE_RETRY_MS_MAX = 10_000;
const PAGE_MESSAGES = 50;
/** Timelines that nobody looks at and that are kept up all the same. */
const IDLE_TIMELINES_MAX = 20;
/** A jump, or a call for another page, waits so long for a timeline that is being loaded. */
const LOADED_WAIT_MS = 15_000;

/** Which page of a history: the newest, or the one beside or around a message. */
export type PagePlace = { readonly [Side in 'before' | 'after' | 'around']?: string };

interface Opening {
  users: number;
  isLoading: boolean;
  failures: number;
  /** What was kept of an earlier run is looked at once: after a discontinuity it would only cause the next. */
  mayRestore: boolean;
  cancelRetry: (() => void) | null;
  /** Under way: whoever asks again waits for the same. */
  readonly pages: Map<string, Promise<boolean>>;
  /** Each jump has a number: what an earlier one still brings is dropped. */
  jumps: number;
  readonly waiting: Set<() => void>;
}

interface LoaderDoor {
  readonly clock: Clock;
  readonly random: () => number;
  readonly tracks: ReadonlyMap<string, ConversationTrack>;
  readonly cache: StateCache;
  history(conversationId: string, place: PagePlace, limit: number): Promise<MessagePage>;
  message(conversationId: string, messageId: string): Promise<Message>;
  restored(): void;
  loaded(track: ConversationTrack): void;
  fault(cause: unknown): void;
}

/** Gives a timeline that somebody looks at its messages: kept ones first, else the newest page, others on demand. */
export class TimelineLoader {
  private readonly openings = new Map<string, Opening>();
  private readonly lookups = new Map<string, Promise<Message>>();
  private stopped = false;

  constructor(private readonly door: LoaderDoor) {}

  /** Keeps a timeline loaded until the returned function is called. */
  open(conversationId: string): () => void {
    const opening = this.openings.get(conversationId) ?? freshOpening();
    // Moved to the end, so that the first ones are those not looked at for longest.
    this.openings.delete(conversationId);
    this.openings.set(conversationId, opening);
    opening.users++;
    this.fill(conversationId);
    let isOpen = true;
    return () => {
      if (isOpen) opening.users--;
      isOpen = false;
      this.dropIdle();
    };
  }

  /** Loads it unless it is there, or nobody asked for it. */
  fill(conversationId: string): void {
    const track = this.door.tracks.get(conversationId);
    const opening = this.openings.get(conversationId);
    if (!track || !opening || track.window || opening.isLoading || this.stopped) return;
    opening.cancelRetry?.();
    opening.cancelRetry = null;
    opening.isLoading = true;
    void this.load(track, opening);
  }

  /** One more page of older messages. @returns whether there are still older ones. @throws ParleyError */
  async loadOlder(conversationId: string): Promise<boolean> {
    const loading = this.loading(conversationId);
    if (loading) await loading;
    const { track, shown, opening } = this.opened(conversationId);
    if (!shown.hasBefore) return false;
    return this.once(opening, `before ${shown.firstSeq}`, async () => {
      const { window } = track;
      const { firstSeq } = shown;
      const page = await this.page(track, { before: shown.items[0]?.messageId });
      if (track.window === window && track.shown?.firstSeq === firstSeq) track.extendBefore(page);
      else track.endLoad();
      this.door.loaded(track);
      return track.shown?.hasBefore ?? false;
    });
  }

  /** One more page of newer ones, after a jump. @returns whether there are still newer ones. @throws ParleyError */
  async loadNewer(conversationId: string): Promise<boolean> {
    const loading = this.loading(conversationId);
    if (loading) await loading;
    const { track, shown, opening } = this.opened(conversationId);
    if (!shown.hasAfter) return false;
    return this.once(opening, `after ${shown.tailSeq}`, async () => {
      const { window } = track;
      const { tailSeq } = shown;
      const page = await this.page(track, { after: shown.items.at(-1)?.messageId });
      if (track.window === window && track.detached?.tailSeq === tailSeq) track.extendAfter(page);
      else track.endLoad();
      this.door.loaded(track);
      return track.detached !== null;
    });
  }

  /**
   * Shows a message and what is around it.
   * @returns the message; null when nothing is unread, or when another jump came after it. @throws ParleyError
   */
  async jumpTo(conversationId: string, target: string): Promise<Message | null> {
    const jump = this.jumped(conversationId);
    await this.loading(conversationId);
    const { track, opening } = this.opened(conversationId);
    if (opening.jumps !== jump) return null;
    const { lastReadSeq, lastSeq } = track.conversation;
    if (target === FIRST_UNREAD && lastReadSeq >= lastSeq) return this.shownAs(track, null);
    const isTarget = ({ messageId, seq }: Message): boolean =>
      target === FIRST_UNREAD ? seq > lastReadSeq : messageId === target;
    const isOn = (window: TimelineWindow | null): Message | undefined =>
      target === FIRST_UNREAD && (window?.firstSeq ?? Infinity) > lastReadSeq + 1
        ? undefined
        : window?.items.find(isTarget);
    const here = isOn(track.shown);
    if (here) return here;
    const live = isOn(track.window);
    if (live) return this.shownAs(track, live);
    const { window } = track;
    const page = await this.page(track, { around: target });
    if (track.window !== window || opening.jumps !== jump || page.items.length === 0) {
      track.endLoad();
      return null;
    }
    track.showAround(page);
    this.door.loaded(track);
    return track.shown?.items.find(isTarget) ?? null;
  }

  /** Shows the live end, which was kept up meanwhile. */
  jumpToLatest(conversationId: string): void {
    const track = this.door.tracks.get(conversationId);
    this.jumped(conversationId);
    if (track?.detached) this.shownAs(track, null);
  }

  /** @returns the number of a jump that overtakes all before it */
  private jumped(conversationId: string): number {
    const opening = this.openings.get(conversationId);
    return opening ? ++opening.jumps : 0;
  }

  /** A message wherever it is in the conversation, kept up to date from then on. @throws ParleyError */
  async message(conversationId: string, messageId: string): Promise<Message> {
    const track = this.door.tracks.get(conversationId);
    if (!track) throw gone();
    const known = track.find(messageId);
    if (known) return known;
    const key = `${conversationId}/${messageId}`;
    const underWay = this.lookups.get(key) ?? this.lookUp(track, messageId).finally(() => this.lookups.delete(key));
    this.lookups.set(key, underWay);
    return underWay;
  }

  /** Asks for a message again, for what runs out in it. @throws ParleyError */
  async renew(conversationId: string, messageId: string): Promise<Message> {
    const message = await this.door.message(conversationId, messageId);
    const track = this.door.tracks.get(conversationId);
    track?.renew(message);
    if (track) this.door.loaded(track);
    return message;
  }

  connected(): void {
    for (const conversationId of this.openings.keys()) this.fill(conversationId);
  }

  forget(conversationId: string): void {
    const opening = this.openings.get(conversationId);
    opening?.cancelRetry?.();
    this.openings.delete(conversationId);
    opening?.waiting.forEach((done) => done());
  }

  stop(): void {
    this.stopped = true;
    for (const conversationId of this.openings.keys()) this.forget(conversationId);
  }

  /** Its newest messages are still to come. @throws ParleyError `timeout` */
  private loading(conversationId: string): Promise<void> | null {
    const opening = this.openings.get(conversationId);
    if (!opening || this.door.tracks.get(conversationId)?.window) return null;
    const loaded = new Promise<void>((done) => opening.waiting.add(done));
    return inTime(this.door.clock, LOADED_WAIT_MS, 'The timeline is not loaded yet', loaded);
  }

  private opened(conversationId: string): { track: ConversationTrack; shown: TimelineWindow; opening: Opening } {
    const opening = this.openings.get(conversationId);
    const track = this.door.tracks.get(conversationId);
    if (!track?.shown || !opening) throw new ParleyError('not_found', 'This timeline is not open');
    return { track, shown: track.shown, opening };
  }

  private once(opening: Opening, page: string, work: () => Promise<boolean>): Promise<boolean> {
    const underWay = opening.pages.get(page) ?? work().finally(() => opening.pages.delete(page));
    opening.pages.set(page, underWay);
    return underWay;
  }

  /** Who asked for it has to end the load if it is not taken up. */
  private async page(
    track: ConversationTrack,
    place: { [Side in keyof PagePlace]: string | undefined },
  ): Promise<MessagePage> {
    track.beginLoad();
    try {
      return await this.door.history(track.id, place as PagePlace, PAGE_MESSAGES);
    } catch (cause) {
      track.endLoad();
      throw cause;
    }
  }

  private shownAs(track: ConversationTrack, message: Message | null): Message | null {
    track.attach();
    this.door.loaded(track);
    return message;
  }

  private async lookUp(track: ConversationTrack, messageId: string): Promise<Message> {
    track.beginLoad();
    try {
      const message = await this.door.message(track.id, messageId);
      track.keepLookedUp(message);
      this.door.loaded(track);
      return track.find(messageId) ?? message;
    } catch (cause) {
      track.endLoad();
      throw cause;
    }
  }

  private async load(track: ConversationTrack, opening: Opening): Promise<void> {
    const isCurrent = (): boolean => this.door.tracks.get(track.id) === track && !this.stopped;
    try {
      const kept = opening.mayRestore ? await this.door.cache.loadWindow(track.id) : null;
      opening.mayRestore = false;
      if (!isCurrent()) return;
      if (kept && kept.window.firstSeq >= track.conversation.visibleFromSeq) {
        track.restore(kept.window, kept.rev);
        this.door.restored();
      } else {
        await this.loadNewest(track);
      }
      opening.failures = 0;
    } catch (cause) {
      if (isCurrent()) this.failed(track.id, opening, cause);
    } finally {
      opening.isLoading = false;
    }
    if (isCurrent()) this.door.loaded(track);
    if (!track.window) return;
    for (const done of opening.waiting) done();
    opening.waiting.clear();
  }

  private async loadNewest(track: ConversationTrack): Promise<void> {
    track.beginOpening();
    try {
      track.openWith(await this.door.history(track.id, {}, PAGE_MESSAGES));
    } catch (cause) {
      track.endOpening();
      throw cause;
    }
  }

  private failed(conversationId: string, opening: Opening, cause: unknown): void {
    const error = toParleyError(cause);
    // Whoever was removed while away hears so in the next sync, and then its timeline is asked for no more.
    if (!error.retryable && error.code !== 'not_found') this.door.fault(error);
    // The next connection tries at once; until then REST may work where sockets do not.
    const waitMs = backOffMs(opening.failures++, PAGE_RETRY_FIRST_MS, PAGE_RETRY_MS_MAX, this.door.random);
    opening.cancelRetry = this.door.clock.after(waitMs, () => this.fill(conversationId));
  }

  private dropIdle(): void {
    const idle = [...this.openings].filter(([, { users, isLoading }]) => users <= 0 && !isLoading);
    // Who opens it again begins at the live end.
    for (const [conversationId] of idle) this.door.tracks.get(conversationId)?.attach();
    for (const [conversationId] of idle.slice(0, Math.max(0, idle.length - IDLE_TIMELINES_MAX))) {
      this.forget(conversationId);
      this.door.tracks.get(conversationId)?.dropWindow();
    }
  }
}

export const FIRST_UNREAD = 'first_unread';

function freshOpening(): Opening {
  const state = { users: 0, isLoading: false, failures: 0, mayRestore: true, cancelRetry: null, jumps: 0 };
  return { ...state, pages: new Map(), waiting: new Set() };
}
