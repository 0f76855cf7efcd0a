import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Accepted, ERROR_CODES, type Media, type SendMessagePayload, type Stored } from '@parley/contracts';
import type { Actor } from '../../actor.js';
import { RecentValues } from '../../collections/recent-values.js';
import { TransientMap } from '../../collections/transient-map.js';
import type { SendMessageCommand } from '../../conversation/commands/conversation-command.js';
import { DEDUPLICATION_MS } from '../../conversation/conversation.rules.js';
import type { Outcome } from '../../conversation/decision.js';
import { DomainError } from '../../errors/domain-error.js';
import { CommandJournal } from '../../journal/command-journal.js';
import { type MaybePromise, whenKnown } from '../../journal/maybe-promise.js';
import { DirectBlocks } from '../../membership/direct-blocks.js';
import { MembershipDirectory } from '../../membership/membership-directory.js';
import { SendableMedia } from '../../media/sendable-media.js';
import { MessageStore } from '../../ports/message-store.port.js';
import type { RateDecision } from '../../ports/rate-limiter.port.js';
import { SendRates } from '../send-rates.js';
import { requestHashOf } from './request-hash.js';
import { SendMessage } from './send-message.command.js';

type Sent = Extract<Outcome, { kind: 'sent' }>;

/** A send on its way, as its preparation sees it. */
interface Attempt {
  actor: Actor;
  payload: SendMessagePayload;
  requestHash: string;
  /** The end, good or bad, of a send with the same key that was under way when this one came. */
  earlier: Promise<void> | undefined;
  /** It was counted by the rate limits. */
  counted: boolean;
}

const ACCEPTED_REMEMBERED_MAX = 20_000;

const ignore = (): void => {};

@CommandHandler(SendMessage)
export class SendMessageHandler implements ICommandHandler<SendMessage> {
  /** Sends of this process that have not ended, by key. Kept only where rate limits may have to wait for one. */
  private readonly underWay = new TransientMap<string, Promise<void>>();
  /** Sends that this process answered `accepted` and counted. */
  private readonly accepted = new RecentValues<true>(ACCEPTED_REMEMBERED_MAX);

  constructor(
    @Inject(CommandJournal) private readonly journal: CommandJournal,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(DirectBlocks) private readonly blocks: DirectBlocks,
    @Inject(SendRates) private readonly rates: SendRates,
    @Inject(MessageStore) private readonly store: MessageStore,
    @Inject(SendableMedia) private readonly media: SendableMedia,
  ) {}

  async execute({ actor, payload }: SendMessage): Promise<Stored | Accepted> {
    const { clientMsgId } = payload;
    const requestHash = requestHashOf(payload);
    const attempt: Attempt = { actor, payload, requestHash, earlier: undefined, counted: false };
    const sent = await (this.rates.unlimited ? this.submit(attempt) : this.submitCounted(attempt));
    if (!sent) {
      if (attempt.counted && this.isAcceptedAgain(attempt)) await this.giveBack(attempt);
      return { status: 'accepted', clientMsgId };
    }
    const { messageId, seq, rev, at, duplicate } = sent;
    if (duplicate && attempt.counted) await this.giveBack(attempt);
    return { status: 'stored', messageId, seq, rev, timestamp: new Date(at).toISOString(), clientMsgId, duplicate };
  }

  private submit(attempt: Attempt): Promise<Sent | null> {
    const { actor, payload } = attempt;
    return this.journal.submitSend(actor, payload.conversationId, () => this.prepare(attempt));
  }

  /** Clients repeat an accepted send of which they hear nothing: while the stores are away it is counted once all the same. */
  private isAcceptedAgain(attempt: Attempt): boolean {
    const key = keyOf(attempt);
    if (this.accepted.get(key)) return true;
    this.accepted.set(key, true);
    return false;
  }

  /** An outage must not use up what its user may send: clients repeat a send that failed by no fault of theirs. */
  private async submitCounted(attempt: Attempt): Promise<Sent | null> {
    try {
      return await this.submitKnown(attempt);
    } catch (error) {
      if (attempt.counted && isFaultOfServer(error)) await this.giveBack(attempt);
      throw error;
    }
  }

  private async giveBack({ actor, payload }: Attempt): Promise<void> {
    await this.rates.giveBackSend(actor.userId, payload.conversationId);
  }

  /** Lets repeated sends that the rate limits refuse find the first one, which may not be stored yet. */
  private async submitKnown(attempt: Attempt): Promise<Sent | null> {
    const key = keyOf(attempt);
    attempt.earlier = this.underWay.get(key);
    const sent = this.submit(attempt);
    if (attempt.earlier) return sent;
    const ended = sent.then(ignore, ignore);
    this.underWay.set(key, ended);
    try {
      return await sent;
    } finally {
      this.underWay.delete(key);
    }
  }

  private prepare(attempt: Attempt): MaybePromise<SendMessageCommand | Sent> {
    const { actor, payload } = attempt;
    const { conversationId } = payload;
    return whenKnown(this.directory.requireMember(conversationId, actor.userId), (access) =>
      whenKnown(this.blocks.isBlocked(actor.userId, access.membership), (blocked) => {
        const decided = this.rates.takeSend(actor.userId, conversationId);
        return whenKnown<RateDecision, SendMessageCommand | Sent>(decided, ({ allowed, retryAfterMs }) => {
          if (!allowed) return this.repeatedOrLimited(attempt, retryAfterMs);
          attempt.counted = true;
          if (blocked) return this.repeatedOrRefused(attempt, new DomainError('blocked'));
          return this.withReferences(attempt);
        });
      }),
    );
  }

  /** As `repeatedOrRefused`, of a refusal that is not final: who sends again later meets the first one then. */
  private async repeatedOrLimited(attempt: Attempt, retryAfterMs: number): Promise<Sent> {
    const repeated = await this.repeated(attempt);
    if (!repeated) throw new DomainError('rate_limited', 'Too many messages', { retryAfterMs });
    return repeated;
  }

  /**
   * A send that was stored before is answered with its result, never with what would refuse it now: a limit, a block set
   * since, media that are gone with their message, a message replied to that the sender sees no more since it came back.
   * Looked up only here, where a refusal is due; a send that nothing refuses meets its first one at the decision.
   *
   * One that is not found may be in the log and not stored yet (it was `accepted`, or is under way in another process), so
   * the log decides: a refusal would say of a message that it never comes, and then it came.
   */
  private async repeatedOrRefused(attempt: Attempt, refusal: DomainError): Promise<SendMessageCommand | Sent> {
    const repeated = await this.repeated(attempt);
    if (repeated) return repeated;
    const { code, detail } = refusal;
    return { ...commandOf(attempt, []), refusedUnlessRepeated: { code, detail } };
  }

  private withReferences(attempt: Attempt): MaybePromise<SendMessageCommand | Sent> {
    return whenKnown<boolean, SendMessageCommand | Sent>(this.maySeeRepliedTo(attempt), (maySee) => {
      if (!maySee) {
        return this.repeatedOrRefused(attempt, new DomainError('not_found', 'No such message to reply to'));
      }
      const { mediaIds } = attempt.payload;
      return mediaIds?.length ? this.withMedia(attempt, mediaIds) : commandOf(attempt, []);
    });
  }

  private maySeeRepliedTo({ actor, payload }: Attempt): MaybePromise<boolean> {
    const { conversationId, replyToMessageId } = payload;
    if (!replyToMessageId) return true;
    return this.sees(actor.userId, conversationId, replyToMessageId);
  }

  private async sees(userId: string, conversationId: string, messageId: string): Promise<boolean> {
    const [{ visibleFromSeq }, message] = await Promise.all([
      this.directory.requireSight(conversationId, userId),
      this.store.locate(conversationId, messageId),
    ]);
    return message !== null && message.seq >= visibleFromSeq;
  }

  private async withMedia(attempt: Attempt, mediaIds: readonly string[]): Promise<SendMessageCommand | Sent> {
    let media: Media[];
    try {
      media = await this.media.facts(attempt.actor.userId, mediaIds);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'not_found') return this.repeatedOrRefused(attempt, error);
      throw error;
    }
    return commandOf(attempt, media);
  }

  /** The result of a send with this clientMsgId that was stored before. @throws DomainError `client_msg_id_reused` */
  private async repeated(attempt: Attempt): Promise<Sent | null> {
    await attempt.earlier;
    const { conversationId, clientMsgId } = attempt.payload;
    const key = { conversationId, senderId: attempt.actor.userId, clientMsgId };
    const [prior] = await this.store.findSends([key]);
    if (!prior || Date.now() - prior.at >= DEDUPLICATION_MS) return null;
    if (prior.requestHash !== attempt.requestHash) throw new DomainError('client_msg_id_reused');
    const { messageId, seq, rev, at } = prior;
    return { kind: 'sent', messageId, seq, rev, at, duplicate: true };
  }
}

function keyOf({ actor, payload: { conversationId, clientMsgId } }: Attempt): string {
  return `${conversationId}:${actor.userId}:${clientMsgId}`;
}

function isFaultOfServer(error: unknown): boolean {
  return !(error instanceof DomainError) || ERROR_CODES[error.code].status >= 500;
}

function commandOf({ payload, requestHash }: Attempt, media: Media[]): SendMessageCommand {
  const { clientMsgId, content, contentType, replyToMessageId } = payload;
  return {
    type: 'send-message',
    clientMsgId,
    content,
    contentType,
    media,
    replyToMessageId: replyToMessageId ?? null,
    requestHash,
  };
}
