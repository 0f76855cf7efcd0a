import type { Clock } from './clock.js';
import type { ConversationTrack } from './conversation-track.js';
import type { ParleyStore } from './store.js';
import { TimelineWindow } from './timeline-window.js';
import type { Conversation, Message } from './wire.js';

const SAVE_EVERY_MS = 1_000;
const CONVERSATIONS_KEPT_MAX = 500;
const MESSAGES_KEPT_MAX = 50;

interface KeptState {
  since?: string;
  conversations: Conversation[];
  /** Read marks that the server was not told of; missing in what earlier versions kept. */
  reads?: [string, string][];
}

interface LiveState {
  readonly since: string | undefined;
  readonly conversations: readonly Conversation[];
  readonly reads: [string, string][];
}

interface KeptWindow {
  rev: number;
  tailSeq: number;
  hasBefore: boolean;
  messages: Message[];
}

/** The last known state, for a start that shows it at once and fetches only what is missing. It may be lost any time. */
export class StateCache {
  private readonly dirty = new Map<string, ConversationTrack>();
  private isDirty = false;
  private cancel: (() => void) | null = null;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: ParleyStore,
    private readonly clock: Clock,
    private readonly userId: string,
    private readonly state: () => LiveState,
    private readonly fault: (cause: unknown) => void,
  ) {}

  async load(): Promise<KeptState | null> {
    return (await this.read<KeptState>(`state/${this.userId}`)) ?? null;
  }

  async loadWindow(conversationId: string): Promise<{ window: TimelineWindow; rev: number } | null> {
    const kept = await this.read<KeptWindow>(this.windowKey(conversationId));
    if (!kept) return null;
    return { window: new TimelineWindow(kept.messages, kept.hasBefore, kept.tailSeq), rev: kept.rev };
  }

  /** Something changed; of `track` also its messages. Saved within a second. */
  touch(track?: ConversationTrack): void {
    this.isDirty = true;
    if (track?.window) this.dirty.set(track.id, track);
    this.cancel ??= this.clock.after(SAVE_EVERY_MS, () => {
      this.cancel = null;
      void this.save();
    });
  }

  forget(conversationId: string): void {
    this.dirty.delete(conversationId);
    this.touch();
    // In its turn: a save that is under way may be about to write it.
    this.saving = this.saving.then(() => this.store.delete(this.windowKey(conversationId))).catch(this.fault);
  }

  /** Saves what is not saved yet and ends. */
  async stop(): Promise<void> {
    this.cancel?.();
    // An answer may still come in: after this, what was kept may be forgotten, and must not come back.
    this.cancel = () => {};
    await this.save();
  }

  private save(): Promise<void> {
    this.saving = this.saving.then(() => this.saveNow()).catch(this.fault);
    return this.saving;
  }

  private async saveNow(): Promise<void> {
    if (!this.isDirty) return;
    this.isDirty = false;
    const { since, conversations, reads } = this.state();
    const isWhole = conversations.length <= CONVERSATIONS_KEPT_MAX;
    // A part of the conversations with `since` would hide the rest for ever.
    const state: KeptState = { conversations: conversations.slice(0, CONVERSATIONS_KEPT_MAX), reads };
    if (isWhole && since !== undefined) state.since = since;
    const windows = [...this.dirty.values()].flatMap((track) => keptWindow(track));
    this.dirty.clear();
    await this.store.set(`state/${this.userId}`, JSON.stringify(state));
    for (const { id, kept } of windows) await this.store.set(this.windowKey(id), JSON.stringify(kept));
  }

  private windowKey(conversationId: string): string {
    return `window/${this.userId}/${conversationId}`;
  }

  private async read<Kept>(key: string): Promise<Kept | null> {
    try {
      const text = await this.store.get(key);
      return text === null ? null : (JSON.parse(text) as Kept);
    } catch (cause) {
      this.fault(cause);
      return null;
    }
  }
}

function keptWindow(track: ConversationTrack): { id: string; kept: KeptWindow }[] {
  const { window } = track;
  if (!window) return [];
  const messages = window.items.slice(-MESSAGES_KEPT_MAX);
  const hasBefore = window.hasBefore || messages.length < window.items.length;
  return [{ id: track.id, kept: { rev: track.rev, tailSeq: window.tailSeq, hasBefore, messages: [...messages] } }];
}
