// Everything that users may rely on. Written by: vitest run packages/sdk/src/package.int.spec.ts -u

export declare class ParleyClient {
    private readonly parts;
    private readonly rest;
    private readonly messenger;
    private readonly connection;
    /** Of the signed-in user. */
    readonly userId: string;
    private readonly emitter;
    private readonly handles;
    private readonly dirty;
    private isFlushDue;
    private list;
    private lastUnread;
    private readonly stopWatching;
    private constructor();
    on<Name extends keyof ClientEvents>(name: Name, listener: (payload: ClientEvents[Name]) => void): () => void;
    get connectionState(): ConnectionState;
    get conversations(): readonly Conversation[];
    /** Of all conversations that are neither muted nor archived. */
    get unreadCount(): number;
    /** @throws ParleyError `not_found` for one that does not exist or is somebody else's */
    conversation(conversationId: string): Promise<ParleyConversation>;
    /** The one conversation with another user; made if there is none. */
    direct(userId: string): Promise<ParleyConversation>;
    createGroup(name: string | null, userIds: readonly string[]): Promise<ParleyConversation>;
    /** By the beginning of the user name or the display name, 1 to 64 characters. */
    searchUsers(search: string, cursor?: string): Promise<Page<User>>;
    user(userId: string): Promise<User>;
    me(): Promise<User>;
    updateMe(change: UpdateMe): Promise<User>;
    block(userId: string): Promise<void>;
    unblock(userId: string): Promise<void>;
    /** Whether somebody looks at the application; browsers find out by themselves. */
    setActive(isActive: boolean): void;
    /** Tries to connect now, for example when a phone says that it has a network again. */
    reconnect(): void;
    /** Ends everything this client runs. What is unsent stays in the store, for the next client on it. */
    close(): Promise<void>;
    private created;
    private handleOf;
    private stateChanged;
    /** Told once for all changes that come together. */
    private changed;
    private flush;
    private typingIn;
    private removed;
}

export declare class ParleyConversation {
    readonly id: string;
    private readonly context;
    private isGone;
    /** The last known state. @throws ParleyError `not_found` after it was removed */
    get details(): Conversation;
    /** True once the user does not belong to it any more. */
    get isRemoved(): boolean;
    get timeline(): readonly TimelineItem[];
    /** False while nothing has been loaded yet. */
    get isLoaded(): boolean;
    get hasOlder(): boolean;
    get typingUserIds(): readonly string[];
    on<Name extends keyof ConversationEvents>(name: Name, listener: (payload: ConversationEvents[Name]) => void): () => void;
    /** Loads the timeline, calls the listener with it now and after each change, until the returned function is called. */
    subscribe(listener: (items: readonly TimelineItem[]) => void): () => void;
    /** One more page. @returns whether there are still older ones. @throws ParleyError */
    loadOlder(): Promise<boolean>;
    /**
     * Shows it at once as `sending` and sends it until it is stored or refused, also after a reload.
     * @returns its clientMsgId, once it is kept
     * @throws ParleyError `outbox_full`, `closed`, or `not_found` after the user was removed
     */
    send(content: string, options?: SendOptions): Promise<string>;
    /** Sends a `failed` message again; false when there is none. */
    retry(clientMsgId: string): boolean;
    /** Takes a `failed` message away; false when there is none. */
    discard(clientMsgId: string): boolean;
    edit(messageId: string, content: string): Promise<Message>;
    delete(messageId: string): Promise<Message>;
    react(messageId: string, emoji: string): Promise<Message>;
    unreact(messageId: string, emoji: string): Promise<Message>;
    /** Up to the newest message that is here unless one is named; told to the server as soon as there is a connection. */
    markRead(messageId?: string): void;
    /** To be called at each keystroke; the server hears of it at most every 2 s. */
    setTyping(isTyping?: boolean): void;
    /** Those of the first 20 members, beside its sender, whose read mark covers a message. */
    seenBy(messageId: string): Member[];
    /** When each member received and read a message. */
    receipts(messageId: string, cursor?: string): Promise<Page<Receipt>>;
    members(cursor?: string): Promise<Page<Member>>;
    addMembers(...userIds: string[]): Promise<Conversation>;
    removeMembers(...userIds: string[]): Promise<Conversation>;
    setRole(userId: string, role: Role): Promise<Conversation>;
    leave(): Promise<void>;
    rename(name: string): Promise<Conversation>;
    /** The caller's own view; `mutedUntil` is ISO 8601. */
    changeSettings(settings: Partial<Settings>): Promise<void>;
    private updated;
    private changed;
    private message;
    private rest;
}

export declare class ParleyError extends Error {
    readonly name = "ParleyError";
    readonly code: ErrorCode | LocalErrorCode;
    /** Whether the same call may succeed later. */
    readonly retryable: boolean;
    /** HTTP status; 0 when the server was not reached. */
    readonly status: number;
    /** Milliseconds to wait before the next attempt, if the server said so. */
    readonly retryAfterMs: number | null;
    readonly errors: readonly FieldError[];
    constructor(code: ErrorCode | LocalErrorCode, detail: string, more?: {
        retryable?: boolean;
        status?: number;
        retryAfterMs?: number | undefined;
        errors?: FieldError[];
    });
}

export declare function connect(options: ClientOptions): Promise<ParleyClient>;

export declare function indexedDbStore(name?: string): ParleyStore;

export declare function keyValueStore(storage: KeyValueStorage, name?: string): ParleyStore;

export declare function logIn(options: AccountOptions & {
    readonly username: string;
    readonly password: string;
}): Promise<ParleyClient>;

export declare function logOut(client: ParleyClient, options: AccountOptions): Promise<void>;

export declare function memoryStore(): ParleyStore;

export declare function resume(options: AccountOptions): Promise<ParleyClient | null>;

export declare function signUp(options: AccountOptions & {
    readonly username: string;
    readonly password: string;
    readonly displayName: string;
}): Promise<ParleyClient>;

export interface ClientEvents {
    connection: ConnectionState;
    /** The conversations, pinned ones first, then by their latest activity; given anew after each change. */
    conversations: readonly Conversation[];
    /** Of all conversations that are neither muted nor archived. */
    unread: number;
}

export interface ClientOptions {
    /** Of the server, such as `https://chat.example.com`. */
    readonly url: string;
    /** An access token, or a function that gives one; it is asked again when the last one was refused or runs out. */
    readonly token: TokenOption;
    /** Where unsent messages and the last known state are kept: IndexedDB where there is one, otherwise memory. */
    readonly store?: ParleyStore;
    /** The signed-in user's id, if it is known: what was kept is then shown before the server has answered. */
    readonly userId?: string;
    /** Told of what goes wrong where nobody waits for an answer: a store that fails, a listener that throws. */
    readonly onFault?: (fault: unknown) => void;
    /** For tests and unusual platforms. */
    readonly clock?: Clock;
    readonly random?: () => number;
    readonly fetch?: Fetch;
    readonly openLink?: OpenLink;
}

export interface Clock {
    /** Milliseconds since the epoch. */
    now(): number;
    /** Runs `work` once after so many milliseconds, unless the function it returns is called before. */
    after(delayMs: number, work: () => void): () => void;
}

export interface ConversationEvents {
    /** The timeline as it is now: one's own unsent messages included, oldest first, without a hole or a repeat. */
    timeline: readonly TimelineItem[];
    /** Name, members, marks, settings, unread count: the conversation as it is now. */
    details: Conversation;
    /** The ids of those who are typing now. */
    typing: readonly string[];
    /** What follows does not continue what was shown: the timeline is loaded anew. */
    discontinuity: {
        readonly reason: DiscontinuityReason;
    };
    /** The user was removed or left; nothing comes after this. */
    removed: {
        readonly conversationId: string;
    };
}

export interface KeyValueStorage {
    getItem(key: string): Promise<string | null> | string | null;
    setItem(key: string, value: string): Promise<void> | void;
    removeItem(key: string): Promise<void> | void;
    getAllKeys(): Promise<readonly string[]> | readonly string[];
}

export interface Link {
    /** Rejects with ParleyError: what the server refused, `timeout`, or `network` when the connection ended first. */
    ask<Name extends ClientEventName>(name: Name, payload: ClientEventPayload<Name>, timeoutMs: number): Promise<Answer<Name>>;
    close(): void;
}

export interface LinkListener {
    event(event: ServerEvent): void;
    /** Called once, after it was open; not after `close()`. */
    ended(): void;
}

export interface LinkTarget {
    readonly url: string;
    readonly path: string;
    readonly token: string;
    readonly deviceId: string;
}

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

export interface ParleyStore {
    get(key: string): Promise<string | null>;
    set(key: string, value: string): Promise<void>;
    delete(key: string): Promise<void>;
    /** Keys that begin so, in order. */
    keys(prefix: string): Promise<string[]>;
    /**
     * A lock among all who share this store, held until the returned function is called or the holder is gone (a closed
     * tab, an ended process); null when somebody else holds it.
     */
    tryLock(name: string): Promise<(() => void) | null>;
}

export interface SendFailure {
    readonly code: ErrorCode | LocalErrorCode;
    readonly detail: string;
    /** Whether `retry` may help. */
    readonly retryable: boolean;
}

export interface SendOptions {
    readonly contentType?: ContentType;
    readonly replyToMessageId?: string;
    readonly mediaIds?: readonly string[];
    /** Made up unless given; the same one is never stored twice. */
    readonly clientMsgId?: string;
}

export interface TimelineItem {
    /** The same from sending to the end of days: for lists that tell their rows apart by a key. */
    readonly key: string;
    /** Null until the server has stored it. */
    readonly messageId: string | null;
    readonly seq: number | null;
    readonly senderId: string;
    readonly content: string;
    readonly contentType: Message['contentType'];
    readonly clientMsgId: string;
    /** ISO 8601; of the server once it has stored it. */
    readonly timestamp: string;
    readonly media: readonly Media[];
    readonly replyToMessageId: string | null;
    readonly editedAt: string | null;
    readonly deletedAt: string | null;
    readonly reactions: readonly Reaction[];
    readonly status: MessageStatus;
    /** Only of a `failed` one. */
    readonly failure: SendFailure | null;
}

export type AccountOptions = Omit<ClientOptions, 'token' | 'userId'>;

export type ConnectionState = {
    readonly status: 'idle';
} | {
    readonly status: 'connecting';
    readonly attempt: number;
} | {
    readonly status: 'connected';
}
/** `retryAtMs`: milliseconds since the epoch. */
 | {
    readonly status: 'waiting';
    readonly attempt: number;
    readonly retryAtMs: number;
    readonly error: ParleyError;
}
/** It does not come back by itself; `error` is null when the application closed it. */
 | {
    readonly status: 'closed';
    readonly error: ParleyError | null;
};

export type ContentType = "file" | "text" | "image" | "encrypted";

export type Conversation = { conversationId: string; type: ConversationType; name: null | string; createdAt: string; createdBy: string; lastSeq: number; lastRev: number; lastMessage: null | LastMessage; lastActivityAt: string; unreadCount: number; lastReadMessageId: null | string; lastReadSeq: number; visibleFromSeq: number; memberCount: number; members: Member[]; role: Role; settings: Settings; };

export type DiscontinuityReason = 'reset' | 'rejoined' | 'too_far_behind';

export type ErrorCode = "validation_failed" | "unauthenticated" | "token_expired" | "session_revoked" | "invalid_credentials" | "refresh_reused" | "forbidden" | "blocked" | "not_found" | "conflict" | "client_msg_id_reused" | "members_limit" | "last_admin" | "payload_too_large" | "media_quota_exceeded" | "unsupported_media_type" | "media_too_large" | "rate_limited" | "internal" | "overloaded" | "store_unavailable";

export type FieldError = { path: string; code: string; message: string; };

export type LocalErrorCode = 'network' | 'timeout' | 'closed' | 'outbox_full' | 'outbox_expired' | 'store_failed';

export type Media = { mediaId: string; url: string; thumbnailUrl: null | string; mimeType: string; sizeBytes: number; width: null | number; height: null | number; fileName: string; };

export type Member = { userId: string; displayName: string; role: Role; joinedAt: string; lastReadMessageId: null | string; lastDeliveredMessageId: null | string; };

export type Message = { messageId: string; seq: number; rev: number; conversationId: string; senderId: string; content: string; contentType: ContentType; clientMsgId: string; timestamp: string; media: Media[]; replyToMessageId: null | string; editedAt: null | string; deletedAt: null | string; reactions: Reaction[]; };

export type MessageStatus = 'received' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

export type OpenLink = (target: LinkTarget, listener: LinkListener, timeoutMs: number) => Promise<Link>;

export type Reaction = { emoji: string; userIds: string[]; };

export type Receipt = { userId: string; deliveredAt: null | string; readAt: null | string; };

export type Role = "admin" | "member";

export type ServerEvent = {
    [Name in ServerEventName]: {
        readonly name: Name;
        readonly payload: ServerEventPayload<Name>;
    };
}[ServerEventName];

export type Settings = { mutedUntil: null | string; pinned: boolean; archived: boolean; };

export type TokenOption = string | ((options: {
    fresh: boolean;
}) => Promise<string> | string);

export type UpdateMe = { displayName?: string | undefined; avatarMediaId?: string | null | undefined; statusText?: string | null | undefined; presenceHidden?: boolean | undefined; pushPreview?: boolean | undefined; };

export type User = { userId: string; username: string; displayName: string; avatarUrl: null | string; statusText: null | string; createdAt: string; presenceHidden?: boolean | undefined; pushPreview?: boolean | undefined; };
