import type { Clock } from './clock.js';

/** The server ends typing after 6 s; a lost end must not show somebody typing for ever. */
const TYPING_SHOWN_MS = 7_000;
/** The server passes on one a second. */
const TYPING_SENT_EVERY_MS = 2_000;

/** Who is typing where. */
export class TypingBoard {
  private readonly shown = new Map<string, Map<string, () => void>>();
  private readonly sentAtMs = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly onChange: (conversationId: string) => void,
  ) {}

  in(conversationId: string): string[] {
    return [...(this.shown.get(conversationId)?.keys() ?? [])];
  }

  set(conversationId: string, userId: string, isTyping: boolean): void {
    const users = this.shown.get(conversationId) ?? new Map<string, () => void>();
    const wasTyping = users.has(userId);
    users.get(userId)?.();
    users.delete(userId);
    if (isTyping)
      users.set(
        userId,
        this.clock.after(TYPING_SHOWN_MS, () => this.set(conversationId, userId, false)),
      );
    if (users.size > 0) this.shown.set(conversationId, users);
    else this.shown.delete(conversationId);
    if (wasTyping !== isTyping) this.onChange(conversationId);
  }

  /** Whether a keystroke is to be told to the server: at most one every 2 s. */
  mayTell(conversationId: string): boolean {
    const now = this.clock.now();
    // A clock that was set back must not silence somebody until it is there again.
    if (Math.abs(now - (this.sentAtMs.get(conversationId) ?? -Infinity)) < TYPING_SENT_EVERY_MS) return false;
    this.sentAtMs.set(conversationId, now);
    return true;
  }

  /** The next keystroke is told at once. */
  ended(conversationId: string): void {
    this.sentAtMs.delete(conversationId);
  }

  /** Nobody is typing there any more. */
  forget(conversationId: string): void {
    for (const cancel of this.shown.get(conversationId)?.values() ?? []) cancel();
    this.shown.delete(conversationId);
    this.sentAtMs.delete(conversationId);
  }

  clear(): void {
    for (const users of this.shown.values()) for (const cancel of users.values()) cancel();
    this.shown.clear();
  }
}
