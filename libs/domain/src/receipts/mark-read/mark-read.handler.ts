import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { ReadMark } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { MembershipDirectory, noSuchConversation } from '../../membership/membership-directory.js';
import { ConversationReader } from '../../ports/conversation-reader.port.js';
import { MessageStore } from '../../ports/message-store.port.js';
import { ReceiptFolder } from '../receipt-folder.js';
import { MarkRead } from './mark-read.command.js';

interface Standing {
  readSeq: number;
  readMessageId: string | null;
  lastSeq: number;
}

@CommandHandler(MarkRead)
export class MarkReadHandler implements ICommandHandler<MarkRead> {
  constructor(
    @Inject(ReceiptFolder) private readonly folder: ReceiptFolder,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(MessageStore) private readonly store: MessageStore,
    @Inject(ConversationReader) private readonly reader: ConversationReader,
  ) {}

  async execute({ actor, payload }: MarkRead): Promise<ReadMark> {
    const { conversationId, lastReadMessageId: messageId } = payload;
    const { visibleFromSeq } = await this.directory.requireMember(conversationId, actor.userId);
    const message = await this.store.locate(conversationId, messageId);
    if (!message || message.seq < visibleFromSeq) throw new DomainError('not_found', 'No such message');
    const moved = this.folder.foldRead(conversationId, actor.userId, { seq: message.seq, messageId });
    const standing: Standing | null = moved ? await moved : await this.reader.memberView(conversationId, actor.userId);
    if (!standing) throw noSuchConversation();
    return {
      lastReadMessageId: standing.readMessageId,
      lastReadSeq: standing.readSeq,
      unreadCount: standing.lastSeq - standing.readSeq,
    };
  }
}
