import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DELIVERY_RECEIPT_MEMBERS_MAX } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { type MemberAccess, MembershipDirectory } from '../../membership/membership-directory.js';
import { noSuchMessage } from '../../messages/message-changes.js';
import { MessageStore } from '../../ports/message-store.port.js';
import { ReceiptFolder } from '../receipt-folder.js';
import { AcknowledgeDelivery } from './acknowledge-delivery.command.js';

interface Place {
  conversationId: string;
  seq: number;
}

@CommandHandler(AcknowledgeDelivery)
export class AcknowledgeDeliveryHandler implements ICommandHandler<AcknowledgeDelivery> {
  constructor(
    @Inject(ReceiptFolder) private readonly folder: ReceiptFolder,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(MessageStore) private readonly store: MessageStore,
  ) {}

  async execute(command: AcknowledgeDelivery): Promise<Place> {
    const { actor, payload, known } = command;
    const { messageId } = payload;
    const conversationId =
      known?.conversationId ?? payload.conversationId ?? (await this.store.conversationOf(messageId));
    const isElsewhere = payload.conversationId !== undefined && payload.conversationId !== conversationId;
    if (conversationId === null || isElsewhere) throw noSuchMessage();
    const { visibleFromSeq, membership } = await this.requireMember(conversationId, actor.userId);
    const seq = known?.seq ?? (await this.store.locate(conversationId, messageId))?.seq;
    if (seq === undefined || seq < visibleFromSeq) throw noSuchMessage();
    const isTold = membership.members.size <= DELIVERY_RECEIPT_MEMBERS_MAX;
    this.folder.foldDelivered(conversationId, actor.userId, { seq, messageId }, isTold);
    return { conversationId, seq };
  }

  /** Somebody else's message is answered word for word like one that does not exist: it was asked for by its id alone. */
  private async requireMember(conversationId: string, userId: string): Promise<MemberAccess> {
    try {
      return await this.directory.requireMember(conversationId, userId);
    } catch (error) {
      throw error instanceof DomainError && error.code === 'not_found' ? noSuchMessage() : error;
    }
  }
}
