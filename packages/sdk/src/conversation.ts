import type { DiscontinuityReason } from './conversation-track.js';
import { tell, type Emitter } from './emitter.js';
import { gone, ParleyError } from './errors.js';
import type { Messenger } from './messenger.js';
import { pathOf, type RestDoor } from './rest.js';
import { FIRST_UNREAD } from './timeline-loader.js';
import type { TimelineItem } from './timeline-items.js';
import type { ContentType, Conversation, Media, Member, Message, Page, Receipt, Role, Settings } from './wire.js';

export interface ConversationEvents {
  /** The timeline as it is now: one's own unsent messages included, oldest first, without a hole or a repeat. */
  timeline: readonly TimelineItem[];
  /** Name, members, marks, settings, unread count: the conversation as it is now. */
  details: Conversation;
  /** The ids of those who are typing now. */
  typing: readonly string[];
  /** What follows does not continue what was shown: the timeline is loaded anew. */
  discontinuity: { readonly reason: DiscontinuityReason };
  /** The user was removed or left; nothing comes after this. What was unsent has failed in the last timeline. */
  removed: { readonly conversationId: string };
}

export interface SendOptions {
  readonly contentType?: ContentType;
  readonly replyToMessageId?: string;
  readonly mediaIds?: readonly string[];
  /** Uploaded ones, instead of `mediaIds`: they show at once. */
  readonly media?: readonly Media[];
  /** Made up unless given; the same one is never stored twice. */
  readonly clientMsgId?: string;
}

export interface ConversationContext {
  readonly messenger: Messenger;
  readonly rest: RestDoor;
  readonly selfId: string;
  readonly emitter: Emitter<ConversationEvents>;
  readonly newId: () => string;
  readonly now: () => number;
}

/** One conversation of the signed-in user. `client.conversation(id)` gives the same object each time. */
export class ParleyConversation {
  /** What was shown when the user had to go. */
  private last: readonly TimelineItem[] = [];
  private isGone = false;

  /** @internal */
  constructor(
    readonly id: string,
    private readonly context: ConversationContext,
  ) {}

  /** The last known state. @throws ParleyError `not_found` after it was removed */
  get details(): Conversation {
    const track = this.context.messenger.tracks.get(this.id);
    if (!track || this.isGone) throw gone();
    return track.conversation;
  }

  /** True once the user does not belong to it any more. */
  get isRemoved(): boolean {
    return this.isGone;
  }

  /** After a removal: what it showed last, with what was unsent as `failed`. */
  get timeline(): readonly TimelineItem[] {
    if (this.isGone) return this.last;
    return this.context.messenger.itemsOf(this.id);
  }

  /** False while nothing has been loaded yet. */
  get isLoaded(): boolean {
    return this.context.messenger.tracks.get(this.id)?.window != null;
  }

  get hasOlder(): boolean {
    return this.context.messenger.tracks.get(this.id)?.shown?.hasBefore ?? false;
  }

  /** True after a jump, until the timeline reaches its live end again: newer messages are not in it yet. */
  get hasNewer(): boolean {
    return this.context.messenger.tracks.get(this.id)?.detached != null;
  }

  get typingUserIds(): readonly string[] {
    return this.context.messenger.typing.in(this.id);
  }

  on<Name extends keyof ConversationEvents>(
    name: Name,
    listener: (payload: ConversationEvents[Name]) => void,
  ): () => void {
    return this.context.emitter.on(name, listener);
  }

  /** Loads the timeline, calls the listener with it now and after each change, until the returned function is called. */
  subscribe(listener: (items: readonly TimelineItem[]) => void): () => void {
    const stop = this.context.emitter.on('timeline', listener);
    const close = this.context.messenger.timelines.open(this.id);
    if (this.isLoaded || this.timeline.length > 0) tell(listener, this.timeline, this.context.emitter.onFault);
    return () => {
      stop();
      close();
    };
  }

  /** One more page. @returns whether there are still older ones. @throws ParleyError */
  loadOlder(): Promise<boolean> {
    return this.context.messenger.timelines.loadOlder(this.id);
  }

  /** One more page, after a jump. @returns whether there are still newer ones. @throws ParleyError */
  loadNewer(): Promise<boolean> {
    return this.context.messenger.timelines.loadNewer(this.id);
  }

  /**
   * Makes the timeline, which must be subscribed to, show a message and what is around it. It goes on from there both
   * ways; live messages are kept meanwhile, and follow when `loadNewer` or `jumpToLatest` gets there.
   * @returns what was jumped to; null when nothing is unread, or when another jump overtook this one
   * @throws ParleyError `not_found` for a message that is not of this conversation, `network`, `timeout`
   */
  async jumpTo(target: string): Promise<TimelineItem | null> {
    const message = await this.context.messenger.timelines.jumpTo(this.id, target);
    return this.timeline.find(({ messageId }) => messageId !== null && messageId === message?.messageId) ?? null;
  }

  /** To the oldest unread message; to the live end when there is none. Otherwise as `jumpTo`. */
  jumpToFirstUnread(): Promise<TimelineItem | null> {
    return this.jumpTo(FIRST_UNREAD);
  }

  /** Shows the live end again, at once. */
  jumpToLatest(): void {
    this.context.messenger.timelines.jumpToLatest(this.id);
  }

  /**
   * A message wherever it is, for example the one that another replies to. `peek` has it from then on, in its latest
   * version, and the timeline event tells of its changes.
   */
  message(messageId: string): Promise<Message> {
    return this.context.messenger.timelines.message(this.id, messageId);
  }

  /** The media of a message with addresses that are good for an hour again; the timeline shows these from then on. */
  async freshMedia(messageId: string): Promise<readonly Media[]> {
    return (await this.context.messenger.timelines.renew(this.id, messageId)).media;
  }

  /** A message that is here already, without asking the server. */
  peek(messageId: string): Message | null {
    return this.context.messenger.tracks.get(this.id)?.find(messageId) ?? null;
  }

  /**
   * Shows it at once as `sending` and sends it until it is stored or refused, also after a reload. A timeline
   * that was elsewhere jumps to its live end.
   * @returns its clientMsgId, once it is kept
   * @throws ParleyError `outbox_full`, `closed`, `not_found` after the user was removed, or `validation_failed` for what
   *   is not a string
   */
  async send(content: string, options: SendOptions = {}): Promise<string> {
    if (this.isGone) throw gone();
    // Kept, it would keep everything behind it from being sent.
    if (typeof content !== 'string') throw new ParleyError('validation_failed', 'content is no string');
    const clientMsgId = options.clientMsgId ?? this.context.newId();
    const media = options.media ?? [];
    this.jumpToLatest();
    await this.context.messenger.outbox.add({
      clientMsgId,
      conversationId: this.id,
      content,
      contentType: options.contentType ?? 'text',
      mediaIds: options.mediaIds ?? media.map(({ mediaId }) => mediaId),
      media,
      replyToMessageId: options.replyToMessageId ?? null,
      createdAtMs: this.context.now(),
      failure: null,
    });
    this.context.messenger.typing.ended(this.id);
    return clientMsgId;
  }

  /** Sends a `failed` message again; false when there is none. */
  retry(clientMsgId: string): boolean {
    return this.context.messenger.outbox.retry(clientMsgId);
  }

  /** Takes a `failed` message away; false when there is none. */
  discard(clientMsgId: string): boolean {
    const isDiscarded = this.context.messenger.outbox.discard(clientMsgId);
    this.last = this.last.filter((item) => item.clientMsgId !== clientMsgId || item.status !== 'failed');
    return isDiscarded;
  }

  async edit(messageId: string, content: string): Promise<Message> {
    return this.changed(await this.onMessage('PATCH', messageId, '', { content }));
  }

  async delete(messageId: string): Promise<Message> {
    return this.changed(await this.onMessage('DELETE', messageId));
  }

  async react(messageId: string, emoji: string): Promise<Message> {
    return this.changed(await this.onMessage('PUT', messageId, pathOf`/reactions/${emoji}`));
  }

  async unreact(messageId: string, emoji: string): Promise<Message> {
    return this.changed(await this.onMessage('DELETE', messageId, pathOf`/reactions/${emoji}`));
  }

  /** Up to the newest message that is here unless one is named; told to the server as soon as there is a connection. */
  markRead(messageId?: string): void {
    this.context.messenger.markRead(this.id, messageId);
  }

  /** To be called at each keystroke; the server hears of it at most every 2 s. */
  setTyping(isTyping = true): void {
    const { messenger } = this.context;
    if (isTyping ? messenger.typing.mayTell(this.id) : true) messenger.tellTyping(this.id, isTyping);
    if (!isTyping) messenger.typing.ended(this.id);
  }

  /** Those of the first 20 members, beside its sender, whose read mark covers a message. */
  seenBy(messageId: string): Member[] {
    return this.context.messenger.readersOf(this.id, messageId);
  }

  /** When each member received and read a message. */
  receipts(messageId: string, cursor?: string): Promise<Page<Receipt>> {
    return this.rest('GET', pathOf`/messages/${messageId}/receipts`, undefined, { cursor });
  }

  members(cursor?: string): Promise<Page<Member>> {
    return this.rest('GET', '/members', undefined, { cursor });
  }

  addMembers(...userIds: string[]): Promise<Conversation> {
    return this.updated('PUT', '/members', { add: userIds });
  }

  removeMembers(...userIds: string[]): Promise<Conversation> {
    return this.updated('PUT', '/members', { remove: userIds });
  }

  setRole(userId: string, role: Role): Promise<Conversation> {
    return this.updated('PUT', '/members', { roles: { [userId]: role } });
  }

  async leave(): Promise<void> {
    await this.rest('PUT', '/members', { remove: [this.context.selfId] });
    // Unless it was told already, and the user may even be back.
    if (!this.isGone) this.context.messenger.removed(this.id);
  }

  rename(name: string): Promise<Conversation> {
    return this.updated('PATCH', '', { name });
  }

  /** The caller's own view; `mutedUntil` is ISO 8601. */
  async changeSettings(settings: Partial<Settings>): Promise<void> {
    await this.rest('PUT', '/settings', settings);
    await this.updated('GET', '');
  }

  /** @internal The user is about to go: what was unsent has failed, which is the last that its timeline tells. */
  keepLast(): void {
    this.last = this.timeline;
    this.context.emitter.emit('timeline', this.last);
  }

  /** @internal The user does not belong to it any more. */
  end(): void {
    this.isGone = true;
    this.context.emitter.emit('removed', { conversationId: this.id });
  }

  private async updated(method: string, path: string, body?: unknown): Promise<Conversation> {
    return this.context.messenger.meetAnswer(() => this.rest<Conversation>(method, path, body));
  }

  private changed(message: Message): Message {
    this.context.messenger.changedMessage(message);
    return message;
  }

  private onMessage(method: string, messageId: string, path = '', body?: unknown): Promise<Message> {
    return this.rest(method, pathOf`/messages/${messageId}` + path, body);
  }

  private rest<Answer>(
    method: string,
    path: string,
    body?: unknown,
    query?: Record<string, string | undefined>,
  ): Promise<Answer> {
    return this.context.rest.call(method, `/conversations/${this.id}${path}`, { body, query });
  }
}
