import type {
  Conversation,
  DiscontinuityReason,
  ParleyClient,
  ParleyConversation,
  ParleyError,
  TimelineItem,
} from '@parley/sdk';
import { followConversation } from './follow-conversation.js';

/** One conversation as it is now. A new object after each change, the same one otherwise. */
export interface ConversationView {
  /** For everything one can do with it; null until it is known, and after the user was removed. */
  readonly conversation: ParleyConversation | null;
  readonly details: Conversation | null;
  /** Oldest first, one's own unsent messages included. */
  readonly timeline: readonly TimelineItem[];
  readonly isLoaded: boolean;
  readonly hasOlder: boolean;
  /** After a jump: the timeline is not at its live end. */
  readonly hasNewer: boolean;
  /** The user was removed or left. */
  readonly isRemoved: boolean;
  /** Why the timeline was loaded anew, the last time that happened. */
  readonly discontinuity: DiscontinuityReason | null;
  /** Why it cannot be shown; tried again with the next connection where that may help. */
  readonly error: ParleyError | null;
}

export const NO_CONVERSATION: ConversationView = {
  conversation: null,
  details: null,
  timeline: [],
  isLoaded: false,
  hasOlder: false,
  hasNewer: false,
  isRemoved: false,
  discontinuity: null,
  error: null,
};

/** Keeps a conversation open while somebody is subscribed, and says what it looks like. */
export class ConversationSource {
  private view = NO_CONVERSATION;
  private discontinuity: DiscontinuityReason | null = null;
  private readonly listeners = new Set<() => void>();
  private end: (() => void) | null = null;

  constructor(
    private readonly client: ParleyClient,
    private readonly conversationId: string,
  ) {}

  readonly read = (): ConversationView => this.view;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    this.end ??= this.begin();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.end?.();
      this.end = null;
    };
  };

  private begin(): () => void {
    return followConversation(
      this.client,
      this.conversationId,
      (conversation, gone) => this.follow(conversation, gone),
      (error) => this.show({ ...this.view, error }),
    );
  }

  private follow(conversation: ParleyConversation, gone: () => void): () => void {
    const update = (): void => this.show(this.viewOf(conversation));
    const stops = [
      conversation.on('details', update),
      conversation.on('discontinuity', ({ reason }) => {
        this.discontinuity = reason;
      }),
      conversation.on('removed', () => {
        end();
        gone();
        this.show({ ...NO_CONVERSATION, isRemoved: true });
      }),
      conversation.subscribe(update),
    ];
    const end = (): void => {
      for (const stop of stops) stop();
    };
    update();
    return end;
  }

  private viewOf(conversation: ParleyConversation): ConversationView {
    const { details, timeline, isLoaded, hasOlder, hasNewer } = conversation;
    const { discontinuity } = this;
    return {
      conversation,
      details,
      timeline,
      isLoaded,
      hasOlder,
      hasNewer,
      isRemoved: false,
      discontinuity,
      error: null,
    };
  }

  private show(view: ConversationView): void {
    const before = this.view;
    const keys = Object.keys(view) as (keyof ConversationView)[];
    if (keys.every((key) => view[key] === before[key])) return;
    this.view = view;
    for (const listener of this.listeners) listener();
  }
}
