import { randomUUID } from 'node:crypto';
import { Global, Module, type Type } from '@nestjs/common';
import { CommandHandler, CqrsModule, QueryHandler, type ICommand } from '@nestjs/cqrs';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Conversation, Message } from '@parley/contracts';
import {
  AcknowledgeDelivery,
  Broadcast,
  ConversationReader,
  DeleteMessage,
  DomainError,
  DoorMetrics,
  EditMessage,
  GatewayDirectory,
  GatewayRegistry,
  Health,
  MarkRead,
  MediaLinks,
  MembershipDirectory,
  MessageStore,
  NoDoorMetrics,
  NoPipelineMetrics,
  PipelineMetrics,
  PresenceRecords,
  ReactToMessage,
  SendMessage,
  SessionRegistry,
  SessionRevocations,
  SetTyping,
  SyncConversations,
  TokenVerifier,
  type Head,
  type LiveEvent,
  type LiveListener,
  type Membership,
  type MessageRead,
  type Principal,
} from '@parley/domain';
import {
  APP_CONFIG,
  HealthChecks,
  loadConfiguration,
  MemoryGatewayRegistry,
  MemorySessionRegistry,
} from '@parley/infra';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { GatewayModule, useSockets } from '../gateway.module.js';
import { PlainLinks } from '../../../../libs/domain/src/media/testing/given-media.js';
import { TestPresenceRecords } from './test-presence-records.js';

export const CONVERSATION = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91';

/** Events are published by the test, and the connection to it can be broken. */
export class TestBroadcast extends Broadcast {
  override readonly bringsEverything = true;
  private readonly listeners = new Set<LiveListener>();
  private readonly interrupted = new Set<() => void>();

  override async publish(events: readonly LiveEvent[]): Promise<void> {
    for (const listener of this.listeners) listener(events);
  }
  override subscribe(listener: LiveListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  override async follow(): Promise<void> {}
  override unfollow(): void {}
  override followedSince(): number {
    return Number.NEGATIVE_INFINITY;
  }
  override onInterruption(listener: () => void): () => void {
    this.interrupted.add(listener);
    return () => this.interrupted.delete(listener);
  }
  interrupt(): void {
    for (const listener of this.interrupted) listener();
  }
}

/** The read models, as the test sets them: one conversation with its members, its messages and pending heads. */
export class TestReader {
  epoch = 1;
  lastSeq = 0;
  members = new Map<string, { role: 'admin' | 'member'; visibleFromSeq: number; joinedEpoch: number }>();
  messages: Message[] = [];
  heads: Head[] = [];
  headsAskedFor: string[][] = [];
  membershipReads = 0;
  /** Set to hold every reading of the members until it resolves. */
  gate: Promise<void> | null = null;
  failing = false;

  /** These are the members from now on; what is published by `sentNow` says so too. */
  setMembers(userIds: readonly string[], visibleFromSeq = 1): void {
    this.epoch++;
    const before = this.members;
    this.members = new Map(
      userIds.map((userId) => {
        const joinedEpoch = before.get(userId)?.joinedEpoch ?? this.epoch;
        return [userId, { role: 'member', visibleFromSeq, joinedEpoch }];
      }),
    );
  }

  async membership(conversationId: string): Promise<Membership | null> {
    this.membershipReads++;
    const { epoch, members } = this;
    const snapshot = { membershipEpoch: epoch, members: new Map(members) };
    await this.gate;
    if (this.failing) throw new DomainError('store_unavailable');
    return { conversationId, type: 'group', ...snapshot };
  }
  async memberView(_conversationId: string, userId: string): Promise<object | null> {
    const member = this.members.get(userId);
    return member ? { visibleFromSeq: member.visibleFromSeq, lastSeq: this.lastSeq, lastRev: this.lastSeq } : null;
  }
  async membersById(_conversationId: string, userIds: readonly string[]): Promise<object[]> {
    return userIds.map((userId) => ({ userId, displayName: 'New', role: 'member' }));
  }
  async conversationFor(conversationId: string, userIds: readonly string[]): Promise<Map<string, Conversation>> {
    const views = userIds.filter((userId) => this.members.has(userId));
    return new Map(
      views.map((userId) => {
        const { role, visibleFromSeq } = this.members.get(userId) as {
          role: 'admin' | 'member';
          visibleFromSeq: number;
        };
        return [userId, { conversationId, role, visibleFromSeq } as Conversation];
      }),
    );
  }
  async headsSince(userIds: readonly string[], since: string | null): Promise<{ position: string; heads: Head[] }> {
    if (since !== null) this.headsAskedFor.push([...userIds]);
    if (this.failing) throw new DomainError('store_unavailable');
    const heads = since === null ? this.allHeads() : this.heads;
    return { position: 'p', heads: heads.filter(({ userId }) => userIds.includes(userId)) };
  }
  private allHeads(): Head[] {
    const { lastSeq } = this;
    const head = { conversationId: CONVERSATION, lastSeq, lastRev: lastSeq, removed: false };
    return [...this.members.keys()].map((userId) => ({ ...head, userId }));
  }
  /** Of `MessageStore`. */
  async read({ range }: MessageRead): Promise<Message[]> {
    return this.messages.filter(({ seq }) => seq >= range.fromSeq && seq <= range.toSeq);
  }
}

/** Tokens are `user:<uuid>[:<session>]`; everything else is refused. */
export class TestVerifier extends TokenVerifier {
  lifetimeMs = 3_600_000;
  verifications = 0;

  constructor(private readonly now: () => number) {
    super();
  }

  override verifyCached(): Principal | null {
    return null;
  }
  override async verify(token: string): Promise<Principal> {
    this.verifications++;
    const [kind, userId, sessionId] = token.split(':');
    if (kind === 'expired') throw new DomainError('token_expired');
    if (kind !== 'user' || !userId) throw new DomainError('unauthenticated');
    return { userId, sessionId: sessionId ?? null, expiresAt: this.now() + this.lifetimeMs, external: false };
  }
}

export class TestRevocations extends SessionRevocations {
  private readonly revoked = new Set<string>();
  private readonly listeners = new Set<(ids: readonly string[]) => void>();

  override isRevoked(sessionId: string): boolean {
    return this.revoked.has(sessionId);
  }
  override announce(ids: readonly string[]): void {
    for (const id of ids) this.revoked.add(id);
    for (const listener of this.listeners) listener(ids);
  }
  override onRevoked(listener: (ids: readonly string[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

type Behaviour = (command: never) => unknown;

/** What the fake handlers on the real buses do, by the class of the command; the default answers as a success would. */
export class TestDomain {
  readonly executed: ICommand[] = [];
  private readonly behaviours = new Map<Type, Behaviour>();

  on<T extends object>(type: abstract new (...args: never[]) => T, behaviour: (command: T) => unknown): void {
    this.behaviours.set(type as unknown as Type, behaviour as Behaviour);
  }

  async run(command: object): Promise<unknown> {
    this.executed.push(command);
    return this.behaviours.get(command.constructor as Type)?.(command as never);
  }

  of<T extends object>(type: abstract new (...args: never[]) => T): T[] {
    return this.executed.filter((command): command is T => command instanceof type);
  }
}

const COMMANDS = [SendMessage, EditMessage, DeleteMessage, ReactToMessage, AcknowledgeDelivery, MarkRead, SetTyping];

function handlers(domain: TestDomain): Type[] {
  const made = COMMANDS.map((command) => {
    class Handler {
      execute(given: object): Promise<unknown> {
        return domain.run(given);
      }
    }
    CommandHandler(command)(Handler);
    return Handler;
  });
  class SyncHandler {
    execute(query: object): Promise<unknown> {
      return domain.run(query);
    }
  }
  QueryHandler(SyncConversations)(SyncHandler);
  return [...made, SyncHandler];
}

export interface TestGateway {
  app: NestFastifyApplication;
  url: string;
  broadcast: TestBroadcast;
  reader: TestReader;
  verifier: TestVerifier;
  revocations: TestRevocations;
  domain: TestDomain;
  records: TestPresenceRecords;
  /** Broadcasts a message as the pipeline would, with the present membership epoch. */
  publishSent(message: Message, originConnectionId?: string): void;
  /** Moves the gateway's clock; nothing else hurries. */
  advance(ms: number): void;
  stop(): Promise<void>;
}

/** What several gateways of one test share. */
export interface SharedPorts {
  sessions?: SessionRegistry;
  records?: TestPresenceRecords;
}

/** @param live carries the live events instead of `broadcast`, which then nobody hears */
export async function startTestGateway(
  environment: Record<string, string> = {},
  live?: Broadcast,
  { sessions, records = new TestPresenceRecords() }: SharedPorts = {},
): Promise<TestGateway> {
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const domain = new TestDomain();
  const broadcast = new TestBroadcast();
  const reader = new TestReader();
  const verifier = new TestVerifier(now);
  const revocations = new TestRevocations();
  const ports = [
    { provide: APP_CONFIG, useValue: loadConfiguration({ PORT: '0', ...environment }) },
    { provide: Broadcast, useValue: live ?? broadcast },
    { provide: ConversationReader, useValue: reader },
    { provide: MessageStore, useValue: reader },
    { provide: TokenVerifier, useValue: verifier },
    { provide: SessionRevocations, useValue: revocations },
    { provide: SessionRegistry, useValue: sessions ?? new MemorySessionRegistry(now) },
    { provide: PresenceRecords, useValue: records },
    { provide: MediaLinks, useClass: PlainLinks },
    { provide: DoorMetrics, useClass: NoDoorMetrics },
    { provide: PipelineMetrics, useClass: NoPipelineMetrics },
    { provide: GatewayRegistry, useClass: MemoryGatewayRegistry },
    { provide: Health, useValue: new HealthChecks() },
    MembershipDirectory,
    GatewayDirectory,
  ];
  class PortsModule {}
  Global()(PortsModule);
  Module({ providers: ports, exports: ports.map((port) => ('provide' in port ? port.provide : port)) })(PortsModule);
  class RootModule {}
  Module({ imports: [PortsModule, CqrsModule.forRoot(), GatewayModule], providers: handlers(domain) })(RootModule);
  const app = await NestFactory.create<NestFastifyApplication>(RootModule, new FastifyAdapter(), { logger: ['error'] });
  app.get<GatewaySettings>(GATEWAY_SETTINGS, { strict: false }).now = now;
  app.get<GatewaySettings>(GATEWAY_SETTINGS, { strict: false }).headsEveryMs = 3_600_000;
  useSockets(app);
  await app.listen(0, '127.0.0.1');
  return {
    app,
    url: (await app.getUrl()).replace('[::1]', '127.0.0.1'),
    broadcast,
    reader,
    verifier,
    revocations,
    domain,
    records,
    publishSent: (message, originConnectionId) => {
      void broadcast.publish([sent(message, reader.epoch, originConnectionId ?? null)]);
    },
    advance: (ms) => {
      ahead += ms;
    },
    stop: () => app.close(),
  };
}

/** A handshake of a user's device. */
export const authOf = (userId: string, session?: string): { token: string; deviceId: string } => ({
  token: session ? `user:${userId}:${session}` : `user:${userId}`,
  deviceId: randomUUID(),
});

export function messageOf(seq: number, senderId: string, content = `message ${seq}`): Message {
  return {
    messageId: String(764_123_456_789_000_000n + BigInt(seq)),
    seq,
    rev: seq,
    conversationId: CONVERSATION,
    senderId,
    content,
    contentType: 'text',
    clientMsgId: `c-${seq}`,
    timestamp: '2026-11-22T10:00:00.000Z',
    media: [],
    replyToMessageId: null,
    editedAt: null,
    deletedAt: null,
    reactions: [],
  };
}

/** A message as the pipeline broadcasts it. */
export function sent(message: Message, membershipEpoch = 1, originConnectionId: string | null = null): LiveEvent {
  const { conversationId } = message;
  return {
    type: 'message-sent',
    conversationId,
    membershipEpoch,
    message,
    originConnectionId,
    submittedAt: Date.now(),
  };
}
