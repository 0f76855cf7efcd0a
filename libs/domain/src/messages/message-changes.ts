import { Inject } from '@nestjs/common';
import type { Message } from '@parley/contracts';
import { DomainError } from '../errors/domain-error.js';
import { type MemberAccess, MembershipDirectory } from '../membership/membership-directory.js';
import { linkedMessage } from '../media/linked-media.js';
import { MediaLinks } from '../media/media-links.port.js';
import { type LocatedMessage, MessageStore } from '../ports/message-store.port.js';
import { SendRates } from './send-rates.js';

export function noSuchMessage(): DomainError {
  return new DomainError('not_found', 'No such message');
}

/** What changing a message begins and ends with, whatever the change. */
export class MessageChanges {
  constructor(
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(SendRates) private readonly rates: SendRates,
    @Inject(MessageStore) private readonly store: MessageStore,
    @Inject(MediaLinks) private readonly links: MediaLinks,
  ) {}

  /** @throws DomainError `not_found` unless the user is a member, `rate_limited` */
  async admit(userId: string, conversationId: string): Promise<MemberAccess> {
    const access = await this.directory.requireSight(conversationId, userId);
    const { allowed, retryAfterMs } = await this.rates.takeChange(userId, conversationId);
    if (!allowed) throw new DomainError('rate_limited', 'Too many changes of messages', { retryAfterMs });
    return access;
  }

  /** @throws DomainError `not_found` for a message that does not exist here, or that the member may not see */
  async locate(access: MemberAccess, messageId: string): Promise<LocatedMessage> {
    const message = await this.store.locate(access.membership.conversationId, messageId);
    if (!message || message.seq < access.visibleFromSeq) throw noSuchMessage();
    return message;
  }

  /**
   * The whole message, as it is stored now.
   * @throws DomainError `not_found` for a message that does not exist here, or that the member may not see
   */
  async visible(access: MemberAccess, messageId: string): Promise<Message> {
    const message = await this.stored(access.membership.conversationId, messageId);
    if (message.seq < access.visibleFromSeq) throw noSuchMessage();
    return message;
  }

  /** The message as it is stored now. */
  async stored(conversationId: string, messageId: string): Promise<Message> {
    const [message] = await this.store.find(conversationId, [messageId]);
    if (!message) throw noSuchMessage();
    return message;
  }

  /** The message as it is stored now, as this user is answered. */
  async answer(userId: string, conversationId: string, messageId: string): Promise<Message> {
    return linkedMessage(await this.stored(conversationId, messageId), userId, this.links);
  }
}
