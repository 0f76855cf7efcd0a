import { randomUUID } from 'node:crypto';
import type { Message, SendMessagePayload, Stored } from '@parley/contracts';
import { MemoryBroadcast } from '../../../infra/src/memory/memory-broadcast.js';
import { MemoryCommandLog } from '../../../infra/src/memory/memory-command-log.js';
import { MemoryReplies } from '../../../infra/src/memory/memory-replies.js';
import type { Actor } from '../actor.js';
import type { CommandRecord } from '../conversation/commands/command-record.js';
import type { ConversationCommand } from '../conversation/commands/conversation-command.js';
import { AdmissionOrder } from '../journal/admission-order.js';
import { CommandJournal } from '../journal/command-journal.js';
import { DOMAIN_LIMITS_DEFAULT, type DomainLimits } from '../limits/domain-limits.js';
import type { LiveEvent } from '../live/live-event.js';
import type { MediaDirectory } from '../media/media-directory.port.js';
import { SendableMedia } from '../media/sendable-media.js';
import { GivenMedia, PlainLinks } from '../media/testing/given-media.js';
import { DirectBlocks } from '../membership/direct-blocks.js';
import { MembershipDirectory } from '../membership/membership-directory.js';
import { MessageChanges } from '../messages/message-changes.js';
import { SendMessage } from '../messages/send-message/send-message.command.js';
import { SendMessageHandler } from '../messages/send-message/send-message.handler.js';
import { SendRates } from '../messages/send-rates.js';
import { CommandPolicies } from '../policies/command-policies.js';
import { CommandLog, type LogRecord, type Positions } from '../ports/command-log.port.js';
import type { ConversationReader } from '../ports/conversation-reader.port.js';
import type { MessageStore } from '../ports/message-store.port.js';
import { type RateLimiter, UnlimitedRateLimiter } from '../ports/rate-limiter.port.js';
import { ReceiptFolder } from '../receipts/receipt-folder.js';
import { TypingIndicators } from '../typing/typing-indicators.js';
import type { BlockChange, Blocks } from '../users/blocks.port.js';
import type { UserDirectory } from '../users/user-directory.port.js';
import { MemoryOwner, OwnerReader, OwnerStore } from './memory-owner.js';

export const ADA = '00000000-0000-4000-8000-0000000000a1';
export const BEN = '00000000-0000-4000-8000-0000000000b2';
export const CYD = '00000000-0000-4000-8000-0000000000c3';
export const DAN = '00000000-0000-4000-8000-0000000000d4';
export const NOBODY = '00000000-0000-4000-8000-0000000000ff';

export function by(userId: string, connectionId: string | null = null): Actor {
  return { userId, connectionId };
}

/** A log whose records are durable before they are decided, as a broker's are. */
class DurableLog extends CommandLog {
  override readonly durableAt = 'append';
  override readonly partitions: number;

  constructor(private readonly log: MemoryCommandLog) {
    super();
    this.partitions = log.partitions;
  }

  override append(records: readonly CommandRecord[]): Promise<void> {
    return this.log.append(records);
  }
  override withdraw(): boolean {
    return false;
  }
  override read(from: Positions, recordsMax: number, waitMs: number): Promise<LogRecord[]> {
    return this.log.read(from, recordsMax, waitMs);
  }
  override committed(positions: Positions): void {
    this.log.committed(positions);
  }
  override lag(): number {
    return this.log.lag();
  }
  override ends(): Positions {
    return this.log.ends();
  }
}

class GivenBlocks implements Pick<Blocks, 'blockersOf' | 'onBlocksChanged'> {
  reads = 0;
  private readonly pairs = new Set<string>();
  private readonly listeners = new Set<(change: BlockChange) => void | Promise<void>>();

  /** As another process does it: nobody here is told. */
  setElsewhere(blockerId: string, blockedId: string, blocked: boolean): void {
    if (blocked) this.pairs.add(`${blockerId}|${blockedId}`);
    else this.pairs.delete(`${blockerId}|${blockedId}`);
  }

  set(blockerId: string, blockedId: string, blocked: boolean): void {
    this.setElsewhere(blockerId, blockedId, blocked);
    for (const listener of this.listeners) void listener({ blockerId, blockedId, blocked });
  }

  async blockersOf(userId: string, candidates: readonly string[]): Promise<Set<string>> {
    this.reads += 1;
    return new Set(candidates.filter((candidate) => this.pairs.has(`${candidate}|${userId}`)));
  }

  onBlocksChanged(listener: (change: BlockChange) => void | Promise<void>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

export interface CommandSideOptions {
  durableAt?: 'append' | 'commit';
  limits?: Partial<DomainLimits>;
  limiter?: RateLimiter;
  pendingRecordsMax?: number;
}

let sends = 0;

/** The commands' side of one process, complete but for the database: an owner decides in memory. */
export class CommandSide {
  readonly limits: DomainLimits;
  readonly log: CommandLog;
  readonly replies = new MemoryReplies();
  readonly broadcast = new MemoryBroadcast();
  readonly policies = new CommandPolicies();
  readonly order = new AdmissionOrder();
  readonly owner: MemoryOwner;
  readonly reads: OwnerReader;
  readonly lookups: OwnerStore;
  readonly reader: ConversationReader;
  readonly store: MessageStore;
  readonly blocks = new GivenBlocks();
  readonly media = new GivenMedia();
  readonly users = {
    existing: async (userIds: readonly string[]) => new Set(userIds.filter((userId) => userId !== NOBODY)),
  } as unknown as UserDirectory;
  readonly directory: MembershipDirectory;
  readonly directBlocks: DirectBlocks;
  readonly journal: CommandJournal;
  readonly rates: SendRates;
  readonly changes: MessageChanges;
  readonly folder: ReceiptFolder;
  readonly typing: TypingIndicators;
  readonly sender: SendMessageHandler;
  /** Everything that was broadcast. */
  readonly live: LiveEvent[] = [];

  constructor(options: CommandSideOptions = {}) {
    const memory = new MemoryCommandLog({ partitions: 4, pendingRecordsMax: options.pendingRecordsMax ?? 10_000 });
    this.limits = { ...DOMAIN_LIMITS_DEFAULT, receiptWindowMs: 20, ...options.limits };
    this.log = options.durableAt === 'append' ? new DurableLog(memory) : memory;
    this.broadcast.subscribe((events) => this.live.push(...events));
    this.owner = new MemoryOwner(this.log, this.broadcast, this.replies);
    this.reads = new OwnerReader(this.owner);
    this.lookups = new OwnerStore(this.owner);
    this.reader = this.reads as unknown as ConversationReader;
    this.store = this.lookups as unknown as MessageStore;
    const { log, replies, broadcast, policies, order, limits, reader, store } = this;
    this.directory = new MembershipDirectory(reader, broadcast);
    this.directBlocks = new DirectBlocks(this.blocks as unknown as Blocks, limits, broadcast);
    this.journal = new CommandJournal(log, replies, broadcast, policies, order, limits);
    this.rates = new SendRates(options.limiter ?? new UnlimitedRateLimiter(), limits);
    this.changes = new MessageChanges(this.directory, this.rates, store, new PlainLinks());
    this.folder = new ReceiptFolder(log, replies, this.journal, limits);
    this.typing = new TypingIndicators(broadcast);
    this.sender = new SendMessageHandler(
      this.journal,
      this.directory,
      this.directBlocks,
      this.rates,
      store,
      new SendableMedia(this.media as unknown as MediaDirectory),
    );
    this.owner.start();
  }

  async close(): Promise<void> {
    await this.owner.stop();
    await this.folder.flush();
    this.typing.onModuleDestroy();
    this.replies.close();
  }

  /** Journals a command as it is, past every check of the commands' side. */
  async command(actorId: string, conversationId: string, command: ConversationCommand): Promise<void> {
    await this.journal.submit(by(actorId), conversationId, () => command);
  }

  async group(adminId: string, ...memberIds: string[]): Promise<string> {
    const conversationId = randomUUID();
    const creation = { type: 'create-conversation', conversationType: 'group', name: 'Group', memberIds } as const;
    await this.command(adminId, conversationId, creation);
    return conversationId;
  }

  async direct(userId: string, otherId: string): Promise<string> {
    const conversationId = randomUUID();
    await this.command(userId, conversationId, {
      type: 'create-conversation',
      conversationType: 'direct',
      name: null,
      memberIds: [otherId],
    });
    return conversationId;
  }

  async changeMembers(actorId: string, conversationId: string, add: string[], remove: string[]): Promise<void> {
    await this.command(actorId, conversationId, { type: 'change-members', add, remove, roles: {}, membersMax: 1_000 });
  }

  payload(conversationId: string, payload: Partial<SendMessagePayload> = {}): SendMessagePayload {
    sends += 1;
    return { conversationId, content: `Text ${sends}`, contentType: 'text', clientMsgId: `m-${sends}`, ...payload };
  }

  send(actor: Actor, payload: SendMessagePayload): ReturnType<SendMessageHandler['execute']> {
    return this.sender.execute(new SendMessage(actor, payload));
  }

  /** A message that is stored. */
  async message(userId: string, conversationId: string, payload: Partial<SendMessagePayload> = {}): Promise<Stored> {
    const answer = await this.send(by(userId), this.payload(conversationId, payload));
    if (answer.status !== 'stored') throw new Error(`a send was answered ${answer.status}`);
    return answer;
  }

  contents(conversationId: string): string[] {
    const messages: Message[] = [...(this.owner.messages.get(conversationId)?.values() ?? [])];
    return messages.toSorted((a, b) => a.seq - b.seq).map(({ content }) => content);
  }

  decidedTypes(): string[] {
    return this.owner.decided.map(({ command }) => command.type);
  }
}
