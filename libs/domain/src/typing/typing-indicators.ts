import { Inject, type OnModuleDestroy } from '@nestjs/common';
import type { Actor } from '../actor.js';
import type { Membership } from '../ports/conversation-reader.port.js';
import { Broadcast } from '../ports/broadcast.port.js';

/** At most one indicator in this time reaches the others of a conversation. */
export const TYPING_INTERVAL_MS = 1_000;
/** Typing ends by itself this long after its last renewal. */
export const TYPING_MS = 6_000;
const SWEEP_MS = 250;
/** Typing users of all conversations together; what goes beyond is not shown. */
const TYPISTS_MAX = 50_000;

interface Typist {
  conversationId: string;
  membershipEpoch: number;
  userId: string;
  originConnectionId: string | null;
  /** What the user last said, until it runs out. */
  isTyping: boolean;
  until: number;
  /** What the others were last told, and when they were last told that somebody types. */
  isShown: boolean;
  shownAt: number;
}

/** Who is typing where, as far as it came through this process. Never journaled: what gets lost ends by itself. */
export class TypingIndicators implements OnModuleDestroy {
  private readonly typists = new Map<string, Typist>();
  private readonly unsubscribe: () => void;
  private timer: NodeJS.Timeout | null = null;

  constructor(@Inject(Broadcast) private readonly broadcast: Broadcast) {
    this.unsubscribe = broadcast.subscribe((events) => {
      if (this.typists.size === 0) return;
      for (const event of events) {
        if (event.type === 'message-sent') this.end(keyOf(event.conversationId, event.message.senderId));
      }
    });
  }

  onModuleDestroy(): void {
    this.unsubscribe();
    this.typists.clear();
    this.stopTimer();
  }

  /** The caller has seen to it that the user is a member and may be heard. */
  set(actor: Actor, { conversationId, membershipEpoch }: Membership, isTyping: boolean): void {
    const key = keyOf(conversationId, actor.userId);
    if (!isTyping) return this.end(key);
    let typist = this.typists.get(key);
    if (!typist) {
      if (this.typists.size >= TYPISTS_MAX) return;
      const { userId } = actor;
      typist = {
        conversationId,
        membershipEpoch,
        userId,
        originConnectionId: null,
        isTyping: false,
        until: 0,
        isShown: false,
        shownAt: Number.NEGATIVE_INFINITY,
      };
      this.typists.set(key, typist);
    }
    const now = performance.now();
    const { connectionId: originConnectionId } = actor;
    Object.assign(typist, { isTyping: true, until: now + TYPING_MS, membershipEpoch, originConnectionId });
    if (now - typist.shownAt >= TYPING_INTERVAL_MS) this.show(typist, now);
    this.timer ??= setInterval(() => this.sweep(performance.now()), SWEEP_MS).unref();
  }

  private end(key: string): void {
    const typist = this.typists.get(key);
    if (!typist) return;
    typist.isTyping = false;
    if (typist.isShown) this.hide(typist);
  }

  private sweep(now: number): void {
    for (const [key, typist] of this.typists) {
      const mayBeShown = now - typist.shownAt >= TYPING_INTERVAL_MS;
      if (typist.until <= now) this.end(key);
      // Began again within the second of the last indicator, and still goes on.
      else if (typist.isTyping && !typist.isShown && mayBeShown) this.show(typist, now);
      if (!typist.isTyping && mayBeShown) this.typists.delete(key);
    }
    if (this.typists.size === 0) this.stopTimer();
  }

  private stopTimer(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private show(typist: Typist, now: number): void {
    typist.isShown = true;
    typist.shownAt = now;
    this.publish(typist);
  }

  private hide(typist: Typist): void {
    typist.isShown = false;
    this.publish(typist);
  }

  private publish({ conversationId, membershipEpoch, userId, isShown, originConnectionId }: Typist): void {
    void this.broadcast.publish([
      { type: 'typing', conversationId, membershipEpoch, userId, isTyping: isShown, originConnectionId },
    ]);
  }
}

function keyOf(conversationId: string, userId: string): string {
  return `${conversationId}${userId}`;
}
