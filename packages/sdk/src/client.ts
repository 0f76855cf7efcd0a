import { systemClock, type Clock } from './clock.js';
import { Connection, type ConnectionState } from './connection.js';
import { ParleyConversation, type ConversationEvents } from './conversation.js';
import { Emitter } from './emitter.js';
import { gone, ParleyError } from './errors.js';
import { newId } from './new-id.js';
import { MediaDoor } from './media-door.js';
import { Messenger, type MessengerDoor } from './messenger.js';
import { PresenceBoard } from './presence-board.js';
import type { OpenLink, ServerEvent } from './ports.js';
import { PushDoor } from './push-door.js';
import { askGateways, baseUrl, pathOf, platformFetch, RestDoor, type Fetch } from './rest.js';
import { retried } from './retries.js';
import { openSocketLink } from './socket-link.js';
import { defaultStore, type ParleyStore } from './store.js';
import { tokenSource, type TokenOption, type TokenSource } from './tokens.js';
import { watchPlatform } from './platform.js';
import type { Conversation, Message, MessagePage, Page, Presence, UpdateMe, User } from './wire.js';

export interface ClientOptions {
  /** Of the server, such as `https://chat.example.com`. */
  readonly url: string;
  /** An access token, or a function that gives one; it is asked again when the last one was refused or runs out. */
  readonly token: TokenOption;
  /** Where unsent messages and the last known state are kept: IndexedDB where there is one, otherwise memory. */
  readonly store?: ParleyStore;
  /** The signed-in user's id, if it is known: what was kept is then shown before the server has answered. */
  readonly userId?: string;
  /** Where the user is, if the server has gateways in several regions: those of this one are preferred. */
  readonly region?: string;
  /** Told of what goes wrong where nobody waits for an answer: a store that fails, a listener that throws. */
  readonly onFault?: (fault: unknown) => void;
  /** For tests and unusual platforms. */
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly fetch?: Fetch;
  readonly openLink?: OpenLink;
}

export interface ClientEvents {
  connection: ConnectionState;
  /** The conversations, pinned ones first, then by their latest activity; given anew after each change. */
  conversations: readonly Conversation[];
  /** Of all conversations that are neither muted nor archived. */
  unread: number;
}

/** Everything the tokens come from is settled before; see `connect`, `logIn` and `signUp`. */
export interface ClientParts extends Omit<ClientOptions, 'token'> {
  readonly tokens: TokenSource;
  readonly onClose?: () => void;
}

/** Where a store keeps the id of the device. */
const DEVICE_KEY = 'device';

/** The signed-in user's chat: one socket, one list of conversations, one outbox. Made by `connect`, `logIn`, `signUp`. */
export class ParleyClient {
  /** Uploads. */
  readonly media: MediaDoor;
  /** Notifications of this device. */
  readonly push: PushDoor;
  private readonly rest: RestDoor;
  private readonly messenger: Messenger;
  private readonly presence: PresenceBoard;
  private readonly connection: Connection;
  private readonly emitter: Emitter<ClientEvents>;
  private readonly handles = new Map<string, { handle: ParleyConversation; emitter: Emitter<ConversationEvents> }>();
  private readonly dirty = new Set<string>();
  private isFlushDue = false;
  private list: readonly Conversation[] | null = null;
  private lastUnread = 0;
  private readonly stopWatching: () => void;

  private constructor(
    private readonly parts: ClientParts & { readonly clock: Clock; readonly random: () => number },
    doors: ClientDoors,
    /** @internal */
    readonly store: ParleyStore,
    /** Of the signed-in user. */
    readonly userId: string,
    hooks: Hooks,
  ) {
    this.rest = doors.rest;
    this.messenger = doors.messenger;
    this.presence = doors.presence;
    this.connection = doors.connection;
    this.media = doors.media;
    this.push = doors.push;
    this.emitter = new Emitter<ClientEvents>((fault) => parts.onFault?.(fault));
    hooks.client = this;
    this.stopWatching = watchPlatform({
      wake: () => this.connection.wake(),
      active: (isActive) => this.connection.setActive(isActive),
    });
  }

  /** @internal */
  static async start(parts: ClientParts): Promise<ParleyClient> {
    const clock = parts.clock ?? systemClock;
    const random = parts.random ?? Math.random;
    const store = parts.store ?? defaultStore();
    const fault = (cause: unknown): void => parts.onFault?.(cause);
    const url = baseUrl(parts.url);
    const fetchNow = parts.fetch ?? platformFetch;
    const rest = new RestDoor(fetchNow, url, parts.tokens);
    // Without an answer there is nothing to show, so it is asked until there is one.
    const whoAmI = () => rest.call<User>('GET', '/users/me');
    const userId = parts.userId ?? (await retried(whoAmI, clock, random, Infinity)).userId;
    const ownDeviceId = await deviceId(store, fault);
    const hooks: Hooks = { client: null };
    const connection: Connection = new Connection({
      url,
      deviceId: ownDeviceId,
      clock,
      random,
      tokens: parts.tokens,
      openLink: parts.openLink ?? openSocketLink,
      askGateways: (token) => askGateways(fetchNow, url, token, parts.region),
      onState: (state) => hooks.client?.stateChanged(state),
      onEvent: (event: ServerEvent) =>
        event.name === 'presence_update' ? presence.update(event.payload) : messenger.take(event),
    });
    const isConnected = (): boolean => connection.state.status === 'connected';
    const ask: MessengerDoor['ask'] = (name, payload) => connection.ask(name, payload);
    const presence = new PresenceBoard({ clock, random, isConnected, ask, fault });
    const messenger: Messenger = new Messenger({
      selfId: userId,
      tabId: newId(),
      clock,
      random,
      store,
      fault,
      isConnected,
      ask,
      history: (conversationId, place, limit) =>
        rest.call<MessagePage>('GET', pathOf`/conversations/${conversationId}/messages`, {
          query: { ...place, limit },
        }),
      message: (conversationId, messageId) =>
        rest.call<Message>('GET', pathOf`/conversations/${conversationId}/messages/${messageId}`),
      changed: (conversationId) => hooks.client?.changed(conversationId),
      typing: (conversationId) => hooks.client?.typingIn(conversationId),
      discontinuity: (id, reason) => hooks.client?.handles.get(id)?.emitter.emit('discontinuity', { reason }),
      ending: (conversationId) => hooks.client?.handles.get(conversationId)?.handle.keepLast(),
      removed: (conversationId) => hooks.client?.removed(conversationId),
    });
    const media = new MediaDoor({ url, tokens: parts.tokens, clock, random, fetch: parts.fetch, fault });
    const push = new PushDoor({ rest, store, userId, deviceId: ownDeviceId, fault });
    const doors = { rest, messenger, presence, connection, media, push };
    const client = new ParleyClient({ ...parts, clock, random }, doors, store, userId, hooks);
    await messenger.start();
    connection.open();
    return client;
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (payload: ClientEvents[Name]) => void): () => void {
    return this.emitter.on(name, listener);
  }

  get connectionState(): ConnectionState {
    return this.connection.state;
  }

  get conversations(): readonly Conversation[] {
    this.list ??= this.messenger.conversations.sort(byPlace);
    return this.list;
  }

  /** Of all conversations that are neither muted nor archived. */
  get unreadCount(): number {
    const now = new Date(this.parts.clock.now()).toISOString();
    const counts = this.conversations.filter(
      ({ settings }) => !settings.archived && !(settings.mutedUntil !== null && settings.mutedUntil > now),
    );
    return counts.reduce((sum, { unreadCount }) => sum + unreadCount, 0);
  }

  /**
   * Of this client's messages, those that the server does not have: waiting, under way or failed. What failed in a
   * conversation that the user has left, where nothing can show or send it, is none of them.
   */
  get unsentCount(): number {
    const { outbox, tracks } = this.messenger;
    return outbox.entries.filter(({ failure, conversationId }) => !failure || tracks.has(conversationId)).length;
  }

  /** @throws ParleyError `not_found` for one that does not exist or is somebody else's */
  async conversation(conversationId: string): Promise<ParleyConversation> {
    const isHere = (): boolean => this.messenger.tracks.has(conversationId);
    const ask = () => this.rest.call<Conversation>('GET', pathOf`/conversations/${conversationId}`);
    if (!isHere()) await this.messenger.meetAnswer(ask);
    // The user was taken out while it was asked for; whether it is back only a new answer can tell.
    if (!isHere()) await this.messenger.meetAnswer(ask);
    if (!isHere()) throw gone();
    return this.handleOf(conversationId);
  }

  /** The one conversation with another user; made if there is none. */
  async direct(userId: string): Promise<ParleyConversation> {
    return this.created({ type: 'direct', memberIds: [userId] });
  }

  async createGroup(name: string | null, userIds: readonly string[]): Promise<ParleyConversation> {
    // The same id again gives the same group: an answer that was lost does not leave a second one behind.
    return this.created({ type: 'group', memberIds: userIds, name, clientRequestId: newId() });
  }

  /** By the beginning of the user name or the display name, 1 to 64 characters. */
  searchUsers(search: string, cursor?: string): Promise<Page<User>> {
    return this.rest.call('GET', '/users', { query: { search, cursor } });
  }

  user(userId: string): Promise<User> {
    return this.rest.call('GET', pathOf`/users/${userId}`);
  }

  me(): Promise<User> {
    return this.rest.call('GET', '/users/me');
  }

  updateMe(change: UpdateMe): Promise<User> {
    return this.rest.call('PATCH', '/users/me', { body: change });
  }

  async block(userId: string): Promise<void> {
    await this.rest.call('PUT', pathOf`/users/me/blocks/${userId}`);
  }

  async unblock(userId: string): Promise<void> {
    await this.rest.call('DELETE', pathOf`/users/me/blocks/${userId}`);
  }

  blocks(cursor?: string): Promise<Page<User>> {
    return this.rest.call('GET', '/users/me/blocks', { query: { cursor } });
  }

  /**
   * Who of some users is online, now and after each change; up to 500 at a time, of all watches together. Who hides, or
   * has blocked one, is offline. @returns what ends it
   */
  watchPresence(userIds: readonly string[], listener: (presences: readonly Presence[]) => void): () => void {
    return this.presence.watch(userIds, listener);
  }

  /** What is known of somebody who is watched. */
  presenceOf(userId: string): Presence | null {
    return this.presence.of(userId);
  }

  /** Once, of up to 500 users: for those that are not on the screen. */
  async queryPresence(userIds: readonly string[]): Promise<Presence[]> {
    return (await this.rest.call<Page<Presence>>('POST', '/presence/query', { body: { userIds } })).items;
  }

  /** Whether somebody looks at the application; browsers find out by themselves. */
  setActive(isActive: boolean): void {
    this.connection.setActive(isActive);
  }

  /** Tries to connect now, for example when a phone says that it has a network again; nothing after `close`. */
  reconnect(): void {
    const { state } = this.connection;
    if (state.status !== 'closed') this.connection.wake();
    else if (state.error) this.connection.open();
  }

  /** Ends everything this client runs. What is unsent stays in the store, for the next client on it. */
  async close(): Promise<void> {
    this.stopWatching();
    this.connection.close();
    this.presence.stop();
    await this.messenger.stop();
    this.emitter.clear();
    this.parts.onClose?.();
  }

  private async created(body: object): Promise<ParleyConversation> {
    const post = () => this.rest.call<Conversation>('POST', '/conversations', { body });
    const { clock, random } = this.parts;
    const { conversationId } = await this.messenger.meetAnswer(() => retried(post, clock, random));
    return this.conversation(conversationId);
  }

  private handleOf(conversationId: string): ParleyConversation {
    const known = this.handles.get(conversationId);
    if (known) return known.handle;
    const emitter = new Emitter<ConversationEvents>((fault) => this.parts.onFault?.(fault));
    const { messenger, rest, userId } = this;
    const now = (): number => this.parts.clock.now();
    const handle = new ParleyConversation(conversationId, { messenger, rest, selfId: userId, emitter, newId, now });
    this.handles.set(conversationId, { handle, emitter });
    return handle;
  }

  private stateChanged(state: ConnectionState): void {
    if (state.status === 'connected') {
      this.messenger.connected();
      this.presence.connected();
    }
    this.emitter.emit('connection', state);
  }

  /** Told once for all changes that come together. */
  private changed(conversationId: string): void {
    this.dirty.add(conversationId);
    if (this.isFlushDue) return;
    this.isFlushDue = true;
    queueMicrotask(() => this.flush());
  }

  private flush(): void {
    this.isFlushDue = false;
    const ids = [...this.dirty];
    this.dirty.clear();
    for (const conversationId of ids) {
      const known = this.handles.get(conversationId);
      if (!known || !this.messenger.tracks.has(conversationId)) continue;
      known.emitter.emit('details', known.handle.details);
      known.emitter.emit('timeline', known.handle.timeline);
    }
    this.list = null;
    this.emitter.emit('conversations', this.conversations);
    const unread = this.unreadCount;
    if (unread !== this.lastUnread) this.emitter.emit('unread', unread);
    this.lastUnread = unread;
  }

  private typingIn(conversationId: string): void {
    const known = this.handles.get(conversationId);
    known?.emitter.emit('typing', known.handle.typingUserIds);
  }

  private removed(conversationId: string): void {
    this.changed(conversationId);
    const known = this.handles.get(conversationId);
    this.handles.delete(conversationId);
    known?.handle.end();
  }
}

interface ClientDoors {
  readonly rest: RestDoor;
  readonly messenger: Messenger;
  readonly presence: PresenceBoard;
  readonly connection: Connection;
  readonly media: MediaDoor;
  readonly push: PushDoor;
}

/** The parts of a client begin before it does. */
interface Hooks {
  client: ParleyClient | null;
}

function byPlace(a: Conversation, b: Conversation): number {
  if (a.settings.pinned !== b.settings.pinned) return a.settings.pinned ? -1 : 1;
  if (a.lastActivityAt !== b.lastActivityAt) return a.lastActivityAt < b.lastActivityAt ? 1 : -1;
  return a.conversationId < b.conversationId ? 1 : -1;
}

/** One for each store, so that a device stays the same over reloads. */
async function deviceId(store: ParleyStore, fault: (cause: unknown) => void): Promise<string> {
  try {
    const known = await store.get(DEVICE_KEY);
    if (known !== null) return known;
    const made = newId();
    await store.set(DEVICE_KEY, made);
    return made;
  } catch (cause) {
    fault(cause);
    return newId();
  }
}

/** Waits until the server answers. @throws ParleyError when the token is refused or names nobody, or `url` is none */
export function connect(options: ClientOptions): Promise<ParleyClient> {
  const { token, ...rest } = options;
  if (typeof token !== 'string' && typeof token !== 'function') {
    return Promise.reject(new ParleyError('unauthenticated', 'connect needs a token'));
  }
  return ParleyClient.start({ ...rest, tokens: tokenSource(token) });
}
